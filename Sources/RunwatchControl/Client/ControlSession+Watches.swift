package import RunwatchCore

// What concerns transient watches.
extension ControlSession {
    /// Ten thousand rows and their answer, on a disk that is slow.
    private static let addLimit = Duration.seconds(120)

    /// Adds transient watches, a request for each batch of IDs.
    ///
    /// A batch is added whole or not at all; those before one that is refused stay.
    /// - Parameters:
    ///   - asked: All but the IDs.
    ///   - next: The next IDs, so many as one request takes at most; `nil` at the end.
    package func add(
        _ asked: AskedWatches, batches next: () throws(ControlFailure) -> [String]?
    ) throws(ControlFailure) -> ExitStatus {
        var asked = asked
        var hasWritten = false
        do throws(ControlFailure) {
            while let ids = try next() {
                asked.ids = ids
                let bytes = try client.post(
                    "/v1/watches", json: asked.json, within: ControlSession.addLimit)
                let page = try ListPage(bytes, key: "watches", client)
                if isJSON {
                    write(page.elements, isFirst: !hasWritten)
                } else {
                    try say(page.elements)
                }
                hasWritten = true
            }
        } catch {
            // What was added is a document of its own, also when the rest was refused.
            if isJSON, hasWritten { _ = say(document: Array("]}".utf8)) }
            throw error
        }
        if !hasWritten { output.warn("there are no IDs; nothing was added") }
        guard isJSON else { return .done }
        return say(document: Array((hasWritten ? "]}" : "{\"watches\":[]}").utf8))
    }

    /// Ends transient watches, one after the other.
    package func remove(_ names: [WatchName]) throws(ControlFailure) -> ExitStatus {
        try each(names, "watches") { (name) throws(ControlFailure) in
            let bytes = try client.delete(ControlPath.watch(name))
            if !isJSON { _ = say(TerminalText.escape("\(name)  is watched no more") + "\n") }
            return bytes
        }
    }

    private func write(_ elements: [ArraySlice<UInt8>], isFirst: Bool) {
        var bytes = isFirst ? Array("{\"watches\":[".utf8) : [UInt8(ascii: ",")]
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += element
        }
        _ = output.write(bytes)
    }

    private func say(_ elements: [ArraySlice<UInt8>]) throws(ControlFailure) {
        var lines = ""
        for element in elements {
            let watch: WatchView = try client.view(try client.parse(Array(element)))
            lines += AddedText.line(watch) + "\n"
        }
        _ = say(lines)
    }
}

/// `runwatchctl add`: a line a watch.
enum AddedText {
    static func line(_ watch: WatchView) -> String {
        var text = "\(watch.name)  "
        if watch.isFinal {
            text += "has ended as \(watch.data.state.name); `runwatchctl rewatch` starts it afresh"
        } else if let origin = watch.origin, origin != WatchOrigin.transient.description {
            text += "is watched already, by \(origin)"
        } else {
            text += "is watched"
        }
        return TerminalText.escape(text)
    }
}
