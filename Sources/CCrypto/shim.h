// The parts of OpenSSL's libcrypto that webhook signatures need.
#pragma once
#include <openssl/evp.h>
#include <openssl/hmac.h>
