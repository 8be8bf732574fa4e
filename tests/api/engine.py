"""SQL on files of the data directory while no server has them open, through the very engine library that it uses."""

import ctypes
import os

LIBRARY = os.path.join(os.path.dirname(__file__), "../../deps/.cache/engine/lib/libduckdb.so")


class _Result(ctypes.Structure):
    _fields_ = [("words", ctypes.c_uint64 * 8)]


def _library():
    lib = ctypes.CDLL(LIBRARY)
    lib.duckdb_value_varchar.restype = ctypes.c_void_p
    lib.duckdb_value_varchar.argtypes = [ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64]
    lib.duckdb_result_error.restype = ctypes.c_char_p
    lib.duckdb_result_error.argtypes = [ctypes.c_void_p]
    for name in ("duckdb_row_count", "duckdb_column_count"):
        getattr(lib, name).restype = ctypes.c_uint64
        getattr(lib, name).argtypes = [ctypes.c_void_p]
    lib.duckdb_query.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    lib.duckdb_connect.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    lib.duckdb_free.argtypes = [ctypes.c_void_p]
    return lib


def query(path, sql):
    """Rows as tuples of text and None."""
    lib = _library()
    database, connection, result = ctypes.c_void_p(), ctypes.c_void_p(), _Result()
    if lib.duckdb_open(path.encode(), ctypes.byref(database)) != 0:
        raise RuntimeError(f"cannot open {path}")
    try:
        lib.duckdb_connect(database, ctypes.byref(connection))
        if lib.duckdb_query(connection, sql.encode(), ctypes.byref(result)) != 0:
            raise RuntimeError(lib.duckdb_result_error(ctypes.byref(result)).decode())
        rows = []
        for row in range(lib.duckdb_row_count(ctypes.byref(result))):
            cells = []
            for column in range(lib.duckdb_column_count(ctypes.byref(result))):
                pointer = lib.duckdb_value_varchar(ctypes.byref(result), column, row)
                cells.append(ctypes.string_at(pointer).decode() if pointer else None)
                if pointer:
                    lib.duckdb_free(pointer)
            rows.append(tuple(cells))
        return rows
    finally:
        lib.duckdb_destroy_result(ctypes.byref(result))
        lib.duckdb_disconnect(ctypes.byref(connection))
        lib.duckdb_close(ctypes.byref(database))
