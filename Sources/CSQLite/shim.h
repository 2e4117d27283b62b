// What Swift cannot import from sqlite3.h by itself.
#pragma once
#include <sqlite3.h>
