// What Swift cannot import from microhttpd.h by itself.
#pragma once
#include <microhttpd.h>
