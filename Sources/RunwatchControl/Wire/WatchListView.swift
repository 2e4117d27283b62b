package import RunwatchCore

/// A page of watches, as the API shows it.
package struct WatchListView: WireView {
    package var watches: [WatchView]
    /// How many meet the conditions, by state; empty when they were not asked for.
    package var counts: [RunState: Int]

    package init(watches: [WatchView], counts: [RunState: Int] = [:]) {
        self.watches = watches
        self.counts = counts
    }

    package init(_ object: WireObject) throws(WireError) {
        watches = try object.list("watches")
        counts = try object.optionalObject("counts").map(StatusView.counts) ?? [:]
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.list("watches", watches)
        writer.key("counts")
        StatusView.write(counts, to: &writer)
        writer.endObject()
    }
}
