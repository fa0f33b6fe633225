// The predictor's way out of this extension: a capsule with a plain C entry, for netlet._predictor.
#include "program/predictor.h"
#include "bindings/bindings.h"
#include "bindings/predict_entry.h"
#include "program/executor.h"

namespace netlet {
namespace {

template <class T>
int run(void* predictor, int64_t rows, const void* x, void* out) noexcept {
  try {
    static_cast<const Predictor<T>*>(predictor)->run(rows, static_cast<const T*>(x), static_cast<T*>(out),
                                                     Interrupt(interrupted));
    return NETLET_OK;
  } catch (const std::bad_alloc&) {
    return NETLET_NO_MEMORY;
  } catch (const Error& e) {
    return e.kind() == Kind::interrupt ? NETLET_RAISED : NETLET_FAILED;
  } catch (...) {
    return NETLET_FAILED;
  }
}

template <class T>
void destroy(PyObject* capsule) {
  auto* entry = static_cast<netlet_predict_entry*>(PyCapsule_GetPointer(capsule, NETLET_PREDICT_ENTRY));
  delete static_cast<Predictor<T>*>(entry->predictor);
  delete entry;
}

}  // namespace

template <class T>
py::capsule predictor_capsule(Executor<T>& executor) {
  std::unique_ptr<Predictor<T>> p;
  {
    py::gil_scoped_release release;  // it may wait for a training
    p = executor.predictor();
  }
  auto entry = std::make_unique<netlet_predict_entry>(
      netlet_predict_entry{run<T>, p.get(), p->input_size(), p->output_size(), sizeof(T), p->flops()});
  const PyCapsule_Destructor destructor = destroy<T>;
  py::capsule capsule(entry.get(), NETLET_PREDICT_ENTRY, destructor);
  p.release();  // both are the capsule's now
  entry.release();
  return capsule;
}
template py::capsule predictor_capsule<float>(Executor<float>&);
template py::capsule predictor_capsule<double>(Executor<double>&);

}  // namespace netlet
