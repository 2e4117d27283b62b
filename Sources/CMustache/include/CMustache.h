// Splits a Mustache template by the C++ library mustache.hpp; plain C, so that Swift can call it.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// Closed: Swift then imports the names, and checks that every kind is handled.
typedef enum __attribute__((enum_extensibility(closed))) {
    CMustacheKindText,
    CMustacheKindBlank,    // one space or tab
    CMustacheKindNewline,  // "\n", "\r\n" or "\r"
    CMustacheKindVariable,
    CMustacheKindUnescaped,
    CMustacheKindSection,
    CMustacheKindInverted,
    CMustacheKindEnd,
    CMustacheKindPartial,
    CMustacheKindComment,
    CMustacheKindDelimiters,
} CMustacheKind;

typedef struct {
    CMustacheKind kind;
    // What stands there, or a tag's name without the space around it. Ends with the visit.
    const char *text;
    size_t length;
    // Bytes from the start of the template.
    size_t offset;
} CMustachePiece;

typedef enum __attribute__((enum_extensibility(closed))) {
    CMustacheProblemUnclosedTag,
    CMustacheProblemInvalidDelimiters,
    CMustacheProblemOutOfMemory,
    CMustacheProblemOther,
} CMustacheProblem;

typedef struct {
    CMustacheProblem problem;
    size_t offset;
} CMustacheFault;

// Visits the pieces of a template in their order; false, and no visit, when it cannot be read.
//
// The text is UTF-8. Sections are not matched: their begins and ends are pieces like the others.
// Time and memory grow with the length alone (some 200 bytes a byte, for a text of spaces), and
// nothing recurses.
bool cmustache_split(
    const char *text, size_t length, void *context,
    void (*visit)(void *context, CMustachePiece piece), CMustacheFault *fault);

#ifdef __cplusplus
}
#endif
