// libyaml's event interface.
#pragma once
#include <yaml.h>
