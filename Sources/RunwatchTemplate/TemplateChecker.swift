import RunwatchCore

/// Looks for names in a template that are no keys, as the renderer would look them up.
struct TemplateChecker {
    private(set) var faults: [Template.Fault] = []
    /// The whole, and what the open sections stand for; the innermost last.
    private var contexts: [TemplateKeys]

    init(_ keys: TemplateKeys) {
        contexts = [keys]
    }

    mutating func check(_ nodes: [TemplateNode]) {
        for node in nodes {
            guard faults.count < Template.maximumFaults else { return }
            switch node {
            case .text: break
            case .variable(let tag, _): _ = resolved(tag)
            case .section(let tag, let isInverted, let children):
                // Under an unknown name nothing can be told, and one fault is enough.
                let keys = resolved(tag) ?? .anything
                if isInverted { check(children) } else { check(children, in: keys) }
            }
        }
    }

    private mutating func check(_ nodes: [TemplateNode], in keys: TemplateKeys) {
        let context = if case .list(let element) = keys { element } else { keys }
        contexts.append(context)
        check(nodes)
        contexts.removeLast()
    }

    /// What a tag's name stands for; `nil`, and a fault, when it is unknown.
    private mutating func resolved(_ tag: TemplateTag) -> TemplateKeys? {
        if let keys = resolve(tag.path) { return keys }
        faults.append(tag.fault("unknown key '\(tag.name)'" + remedy(tag.path)))
        return nil
    }

    private func resolve(_ path: [String]) -> TemplateKeys? {
        guard let first = path.first else { return contexts.last }
        return context(with: first)?[path: path]
    }

    /// The innermost context that has a key of that name.
    private func context(with name: String) -> TemplateKeys? {
        contexts.last { $0[name] != nil }
    }

    // MARK: Remedies

    private func remedy(_ path: [String]) -> String {
        // `run` is most often meant as `data.run`: it is a key, but one level down.
        for context in contexts.reversed() {
            for name in context.names where isObject(context[name]) {
                guard context[path: [name] + path] != nil else { continue }
                return hint([name] + path)
            }
        }
        guard let first = path.first, let root = context(with: first) else {
            return remedy(path, at: 0, among: contexts.reversed().flatMap(\.names))
        }
        var parent = root
        for index in path.indices {
            guard let next = parent[path[index]] else {
                return remedy(path, at: index, below: parent)
            }
            parent = next
        }
        return ""
    }

    private func isObject(_ keys: TemplateKeys?) -> Bool {
        if case .object = keys { true } else { false }
    }

    private func remedy(_ path: [String], at index: Int, below parent: TemplateKeys) -> String {
        let name = path[..<index].joined(separator: ".")
        return switch parent {
        case .object, .anything: remedy(path, at: index, among: parent.names)
        case .list: "; '\(name)' is a list: its keys stand between {{#\(name)}} and {{/\(name)}}"
        case .text: "; '\(name)' has no keys"
        }
    }

    /// The nearest of `names` in the place of the part at `index`, or else all of them.
    private func remedy(_ path: [String], at index: Int, among names: [String]) -> String {
        guard let near = NearestName.find(path[index], among: names) else {
            var known: [String] = []
            for name in names where !known.contains(name) { known.append(name) }
            return known.isEmpty ? "" : "; known are \(known.joined(separator: ", "))"
        }
        var corrected = path
        corrected[index] = near
        // The parts behind the slip are shown too when they fit now.
        return hint(resolve(corrected) == nil ? Array(corrected[...index]) : corrected)
    }

    private func hint(_ path: [String]) -> String {
        "; did you mean '\(path.joined(separator: "."))'?"
    }
}
