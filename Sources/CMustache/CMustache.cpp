#include "CMustache.h"

#include <cstdlib>
#include <kainjow/mustache.hpp>
#include <new>
#include <string>

namespace {

namespace library = kainjow::mustache;
using Component = library::component<std::string>;

// The library matches sections while it parses: it copies the text of each one and recurses into
// it, so 64 KiB of "{{#a}}" would take the stack. Here it never sees one: each mark of a section is
// replaced by a byte that UTF-8 has not, everywhere alike (in custom delimiters too), so that
// nothing else changes and the tag is parsed as a variable whose name begins with that byte.
constexpr char marks[] = {'#', '^', '/'};
constexpr char stand_ins[] = {'\xF8', '\xF9', '\xFA'};
constexpr CMustacheKind kinds[] = {
    CMustacheKindSection, CMustacheKindInverted, CMustacheKindEnd};

std::string replaced(std::string text, const char (&from)[3], const char (&to)[3]) {
    for (char &byte : text) {
        for (int index = 0; index < 3; index++) {
            if (byte == from[index]) {
                byte = to[index];
                break;
            }
        }
    }
    return text;
}

CMustacheKind kind_of_text(const Component &component) {
    if (component.is_newline()) return CMustacheKindNewline;
    return component.is_non_newline_whitespace() ? CMustacheKindBlank : CMustacheKindText;
}

// Takes the byte that stands for a section's mark off the name.
CMustacheKind kind_of_variable(std::string &name) {
    for (int index = 0; index < 3; index++) {
        if (!name.empty() && name.front() == stand_ins[index]) {
            name = library::trim(name.substr(1));
            return kinds[index];
        }
    }
    return CMustacheKindVariable;
}

CMustacheKind kind_of_tag(library::tag_type type, std::string &name) {
    switch (type) {
    case library::tag_type::unescaped_variable: return CMustacheKindUnescaped;
    case library::tag_type::comment: return CMustacheKindComment;
    case library::tag_type::partial: return CMustacheKindPartial;
    case library::tag_type::set_delimiter: return CMustacheKindDelimiters;
    default: return kind_of_variable(name);
    }
}

// The library tells its faults as "Unclosed tag at 12".
CMustacheFault fault_from(const std::string &message) {
    CMustacheFault fault = {CMustacheProblemOther, 0};
    if (message.rfind("Unclosed tag", 0) == 0) fault.problem = CMustacheProblemUnclosedTag;
    if (message.rfind("Invalid set delimiter", 0) == 0) {
        fault.problem = CMustacheProblemInvalidDelimiters;
    }
    const auto place = message.rfind(' ');
    if (place != std::string::npos) {
        fault.offset = std::strtoul(message.c_str() + place, nullptr, 10);
    }
    return fault;
}

}  // namespace

bool cmustache_split(
    const char *text, size_t length, void *context,
    void (*visit)(void *context, CMustachePiece piece), CMustacheFault *fault) {
    // No exception may reach Swift.
    try {
        library::context<std::string> names;
        library::context_internal<std::string> state{names};
        Component root;
        std::string message;
        const std::string flat = replaced(std::string(text, length), marks, stand_ins);
        library::parser<std::string>{flat, state, root, message};
        if (!message.empty()) {
            *fault = fault_from(message);
            return false;
        }
        for (const Component &component : root.children) {
            const size_t offset = component.position;
            if (component.is_text()) {
                const CMustacheKind kind = kind_of_text(component);
                visit(context, {kind, text + offset, component.text.size(), offset});
                continue;
            }
            std::string name = component.tag.name;
            const CMustacheKind kind = kind_of_tag(component.tag.type, name);
            name = replaced(std::move(name), stand_ins, marks);
            visit(context, {kind, name.data(), name.size(), offset});
        }
        return true;
    } catch (const std::bad_alloc &) {
        *fault = {CMustacheProblemOutOfMemory, 0};
    } catch (...) {
        *fault = {CMustacheProblemOther, 0};
    }
    return false;
}
