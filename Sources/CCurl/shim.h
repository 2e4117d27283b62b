// What Swift cannot import from curl.h by itself: the variadic calls.
#pragma once
#include <curl/curl.h>
