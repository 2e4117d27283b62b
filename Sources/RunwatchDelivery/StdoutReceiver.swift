package import Dispatch
package import RunwatchCore
import RunwatchLinux
package import RunwatchStore

/// Writes events to standard output, a line each.
package final class StdoutReceiver: Receiver {
    private let format: ReceiverSettings.StdoutFormat
    private let writer: LineWriter
    private let queue: DispatchQueue

    /// - Parameter writer: Shared by all receivers that write to the same descriptor, so that their
    ///   lines stay whole.
    package init(
        format: ReceiverSettings.StdoutFormat, writer: LineWriter, queue: DispatchQueue
    ) {
        self.format = format
        self.writer = writer
        self.queue = queue
    }

    package func attempt(
        _ delivery: PendingDelivery, at moment: Timestamp,
        completion: @escaping (AttemptResult) -> Void
    ) {
        // One that was gathered while the name stood for another kind of receiver has several.
        let lines = delivery.parts.flatMap { part in
            switch format {
            case .json: EventLine.json(part.event)
            case .text: EventLine.text(part.event)
            }
        }
        // Made and called on the deliverer's queue; the writer only carries it.
        nonisolated(unsafe) let completion = completion
        writer.write(lines) { [queue] ending in
            let result = StdoutReceiver.judge(ending)
            queue.async { completion(result) }
        }
    }

    private static func judge(_ ending: LineWriter.Ending) -> AttemptResult {
        switch ending {
        case .written: AttemptResult(.delivered)
        case .failed(let error): AttemptResult(.later(hint: nil), message: error.description)
        case .stopped: AttemptResult(.abandoned)
        }
    }
}
