"""Names of ``keras.utils`` that only tests need."""
