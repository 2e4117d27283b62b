/// Whether bytes are UTF-8.
enum UTF8Check {
    /// The offset of the first byte that is no part of a UTF-8 text; `nil` when there is none.
    static func firstFault(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        do {
            _ = try UTF8Span(validating: bytes.span)
            return nil
        } catch {
            return error.byteOffsets.lowerBound
        }
    }
}
