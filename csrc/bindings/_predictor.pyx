# cython: language_level=3, binding=False, embedsignature=False, freethreading_compatible=True, autotestdict=False
# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""One row in, one prediction out: calls a predictor that netlet._native made, with NumPy arrays.

An array that is right already costs a few checks of its header, 30 to 80 ns a call; pybind11 takes 450 ns for the same.
Everything else goes through the adapter, which is Python. NumPy's C interface is used directly: the buffer protocol
takes 150 ns for an array.
"""

cimport cython
from cpython.object cimport PyObject
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int64_t
from libc.string cimport memcpy

cdef extern from "bindings/predict_entry.h":
    const char* NETLET_PREDICT_ENTRY
    int NETLET_OK, NETLET_NO_MEMORY, NETLET_RAISED
    struct netlet_predict_entry:
        int (*run)(void* predictor, int64_t rows, const void* x, void* out) noexcept nogil
        void* predictor
        int64_t input_size, output_size
        int element_size
        double row_flops

# No `cimport numpy`: it would check and import types of NumPy that are not needed here.
cdef extern from "numpy/arrayobject.h":
    ctypedef Py_ssize_t npy_intp
    ctypedef struct PyArrayObject:
        pass
    int NPY_FLOAT32, NPY_FLOAT64
    int _import_array() except -1
    bint PyArray_Check(object)
    bint PyArray_CheckExact(object)
    bint PyArray_ISCARRAY(PyArrayObject*)  # C-contiguous, aligned, of this machine's byte order, writable
    bint PyArray_ISCARRAY_RO(PyArrayObject*)
    int PyArray_TYPE(PyArrayObject*)
    int PyArray_NDIM(PyArrayObject*)
    npy_intp* PyArray_DIMS(PyArrayObject*)
    npy_intp PyArray_SIZE(PyArrayObject*)
    void* PyArray_DATA(PyArrayObject*)
    object PyArray_SimpleNew(int ndim, npy_intp* dims, int type)

cdef extern from *:
    """
    typedef PyObject* (*netlet_vectorcall)(PyObject*, PyObject**, size_t, PyObject*);
    """
    ctypedef object (*netlet_vectorcall)(object, PyObject**, size_t, PyObject*)
    ctypedef struct PyTypeObject:
        Py_ssize_t tp_vectorcall_offset
        unsigned long tp_flags
    unsigned long Py_TPFLAGS_HAVE_VECTORCALL
    Py_ssize_t PyVectorcall_NARGS(size_t)
    Py_ssize_t PyTuple_GET_SIZE(PyObject*)
    PyObject* PyTuple_GET_ITEM(PyObject*, Py_ssize_t)

_import_array()

cdef object OUT = "out"  # interned, as the keyword of a call is

cdef enum:
    MAX_NDIM = 31  # of a row: NumPy 1 knows 32 axes, and a batch has one more

# Work from which the GIL is let go, in flops of the whole call: a microsecond or two, beside which the 100 ns for letting go
# and taking it back are small. Less work than that is over before another thread could use the GIL.
cdef double RELEASE_FLOPS = 1e5


@cython.final
@cython.no_gc  # what it refers to does not refer back
cdef class Predictor:
    """A model frozen for serving: a callable from rows to predictions, safe for any number of threads.

    Made by ``Sequential.predictor``.
    """

    cdef netlet_vectorcall vectorcall
    cdef const netlet_predict_entry* entry  # lies in the capsule
    cdef object capsule, adapter
    cdef bint direct  # arrays that are right already need no adapter
    cdef int type, input_ndim, output_ndim
    cdef npy_intp release_rows
    cdef npy_intp input_dims[MAX_NDIM]
    cdef npy_intp output_dims[MAX_NDIM]

    def __cinit__(self, capsule, adapter):
        self.vectorcall = vector_call
        offer_vector_call(<char*>&self.vectorcall - <char*><PyObject*>self)
        self.entry = <const netlet_predict_entry*>PyCapsule_GetPointer(capsule, NETLET_PREDICT_ENTRY)
        self.capsule = capsule
        self.adapter = adapter
        self.type = NPY_FLOAT32 if self.entry.element_size == 4 else NPY_FLOAT64
        self.release_rows = <npy_intp>min(RELEASE_FLOPS / max(self.entry.row_flops, 1.0), 1e15)
        cdef tuple input_shape = adapter.input_shape, output_shape = adapter.output_shape
        self.input_ndim, self.output_ndim = len(input_shape), len(output_shape)
        self.direct = not adapter.check_finite and self.input_ndim <= MAX_NDIM and self.output_ndim <= MAX_NDIM
        if not self.direct:
            return
        cdef int i
        cdef int64_t inputs = 1, outputs = 1
        for i in range(self.input_ndim):
            self.input_dims[i] = input_shape[i]
            inputs *= self.input_dims[i]
        for i in range(self.output_ndim):
            self.output_dims[i] = output_shape[i]
            outputs *= self.output_dims[i]
        if inputs != self.entry.input_size or outputs != self.entry.output_size:
            raise ValueError(f"predictor: rows of shape {input_shape} -> {output_shape} are not the program's")

    def __call__(self, x, out=None):
        """Return the prediction for a row ``[*input]`` or a batch ``[B, *input]``, in ``out`` if that is given."""
        return self.predict(x, out)

    cdef object predict(self, object x, object out):
        cdef PyArrayObject* a
        cdef PyArrayObject* y
        cdef const npy_intp* shape
        cdef npy_intp rows
        cdef npy_intp made[MAX_NDIM + 1]
        cdef int batch
        if self.direct and PyArray_CheckExact(x):
            a = <PyArrayObject*>x
            batch = PyArray_NDIM(a) - self.input_ndim  # 0 for a row, 1 for a batch
            if (batch == 0 or batch == 1) and PyArray_TYPE(a) == self.type and PyArray_ISCARRAY_RO(a):
                shape = PyArray_DIMS(a)
                rows = shape[0] if batch else 1
                if rows > 0 and same(self.input_ndim, shape + batch, self.input_dims):
                    if out is None:
                        made[0] = rows
                        memcpy(made + batch, self.output_dims, self.output_ndim * sizeof(npy_intp))
                        out = PyArray_SimpleNew(batch + self.output_ndim, made, self.type)
                        self.run(rows, PyArray_DATA(a), PyArray_DATA(<PyArrayObject*>out))
                        return out
                    y = <PyArrayObject*>out
                    if self.fits(out, batch, rows) and not self.overlap(rows, PyArray_DATA(a), PyArray_DATA(y)):
                        self.run(rows, PyArray_DATA(a), PyArray_DATA(y))
                        return out
        return self.predict_adapted(x, out)

    cdef bint fits(self, object out, int batch, npy_intp rows):
        """Whether ``out`` is as the result of ``rows`` rows would be."""
        if not PyArray_CheckExact(out):
            return False
        cdef PyArrayObject* y = <PyArrayObject*>out
        if PyArray_NDIM(y) != batch + self.output_ndim or PyArray_TYPE(y) != self.type or not PyArray_ISCARRAY(y):
            return False
        cdef const npy_intp* shape = PyArray_DIMS(y)
        return (batch == 0 or shape[0] == rows) and same(self.output_ndim, shape + batch, self.output_dims)

    cdef bint overlap(self, npy_intp rows, const void* x, const void* out):
        cdef const char* a = <const char*>x
        cdef const char* y = <const char*>out
        cdef int64_t row = rows * self.entry.element_size
        return a < y + row * self.entry.output_size and y < a + row * self.entry.input_size

    cdef object predict_adapted(self, object x, object out):
        """The long way: the adapter converts, or says what is wrong."""
        xs, ys, answer = self.adapter(x, out)
        if not (PyArray_Check(xs) and PyArray_Check(ys)):
            raise TypeError("predictor: the adapter returned no arrays")
        cdef PyArrayObject* a = <PyArrayObject*>xs
        cdef PyArrayObject* y = <PyArrayObject*>ys
        cdef npy_intp rows = PyArray_SIZE(a) // self.entry.input_size
        if not (PyArray_TYPE(a) == self.type and PyArray_ISCARRAY_RO(a)
                and PyArray_TYPE(y) == self.type and PyArray_ISCARRAY(y)
                and PyArray_SIZE(a) == rows * self.entry.input_size
                and PyArray_SIZE(y) == rows * self.entry.output_size):
            raise ValueError("predictor: the adapter returned arrays that do not fit")
        self.run(rows, PyArray_DATA(a), PyArray_DATA(y))
        return answer

    cdef int run(self, npy_intp rows, const void* x, void* out) except -1:
        cdef int status
        if rows <= self.release_rows:
            status = self.entry.run(self.entry.predictor, rows, x, out)
        else:
            with nogil:
                status = self.entry.run(self.entry.predictor, rows, x, out)
        if status == NETLET_OK:
            return 0
        if status == NETLET_NO_MEMORY:
            raise MemoryError(f"predictor: not enough memory for {rows} rows")
        if status != NETLET_RAISED:
            raise RuntimeError("predictor: the call failed")
        return -1  # with the exception that a signal's handler raised

    @property
    def input_shape(self):
        """Shape of one row."""
        return self.adapter.input_shape

    @property
    def output_shape(self):
        """Shape of one row's prediction."""
        return self.adapter.output_shape

    @property
    def dtype(self):
        """Element type of predictions, and of rows that need no conversion."""
        return self.adapter.dtype

    def __repr__(self):
        return f"<Predictor {self.input_shape} -> {self.output_shape}, {self.dtype}>"

    def __reduce__(self):
        raise TypeError("a Predictor cannot be pickled or copied: pickle the model, and call predictor() of the copy")


cdef inline bint same(int ndim, const npy_intp* a, const npy_intp* b):
    cdef int i
    for i in range(ndim):
        if a[i] != b[i]:
            return False
    return True


# CPython's fast calls (PEP 590). Cython gives them to methods but not to __call__, whose keywords then come in a new
# dict: predictor(row, out=out) would take 50 ns more. `offset` is that of Predictor.vectorcall.
cdef void offer_vector_call(Py_ssize_t offset):
    cdef PyTypeObject* type = <PyTypeObject*>Predictor
    type.tp_vectorcall_offset = offset
    type.tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL


cdef object vector_call(object self, PyObject** args, size_t nargsf, PyObject* names):
    cdef Predictor predictor = <Predictor>self
    cdef Py_ssize_t i, n = PyVectorcall_NARGS(nargsf)
    if names == NULL:
        if n == 1:
            return predictor.predict(<object>args[0], None)
        if n == 2:
            return predictor.predict(<object>args[0], <object>args[1])
    elif n == 1 and PyTuple_GET_SIZE(names) == 1 and <object>PyTuple_GET_ITEM(names, 0) is OUT:
        return predictor.predict(<object>args[0], <object>args[1])
    # Arguments given in another way, or wrong ones: Cython's own parsing.
    positional = [<object>args[i] for i in range(n)]
    named = {}
    if names != NULL:
        for i in range(PyTuple_GET_SIZE(names)):
            named[<object>PyTuple_GET_ITEM(names, i)] = <object>args[n + i]
    return Predictor.__call__(predictor, *positional, **named)
