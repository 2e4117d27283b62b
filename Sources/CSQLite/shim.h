// What Swift cannot import from sqlite3.h by itself: pointers made of numbers, variadic calls.
#pragma once
#include <sqlite3.h>

// Binds text of `length` bytes, which SQLite copies. An empty Swift buffer may come without an
// address, and SQLite would take that for NULL.
static inline int runwatch_bind_text(
    sqlite3_stmt *statement, int index, const void *bytes, int length) {
    return sqlite3_bind_text(
        statement, index, bytes ? (const char *)bytes : "", length, SQLITE_TRANSIENT);
}

// No SQL, ours or a damaged file's, may write to the schema's own table.
static inline int runwatch_set_defensive(sqlite3 *database) {
    return sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
}
