package import RunwatchHTTP

extension ControlServer {
    /// The problem document for a request that the HTTP server refuses by itself.
    package static func document(for refusal: HTTPServerRefusal) -> [UInt8] {
        let code: Problem.Code =
            switch refusal {
            case .malformed: .malformedRequest
            case .late: .requestTimeout
            case .tooLarge: .contentTooLarge
            case .targetTooLong: .targetTooLong
            case .headTooLarge: .headTooLarge
            case .tooManyConnections, .tooMuchHeld: .overloaded
            case .stopping: .unavailable
            }
        return Problem(code, refusal.detail).json
    }
}
