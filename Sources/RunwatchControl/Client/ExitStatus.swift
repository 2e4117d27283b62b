/// How `runwatchctl` ends: the one table of its exit codes.
package enum ExitStatus: Int32, Hashable, Sendable, CaseIterable {
    case done = 0
    /// `wait`: a run ended in another final state; `check`, `reload`: the configuration has errors;
    /// `check --probe`: a service gave no usable answer; `test-receiver`: the event was not delivered.
    case failed = 1
    /// No such watch, delivery or receiver.
    case notFound = 4
    /// `EX_USAGE` of sysexits.h(3head).
    case usage = 64
    /// `EX_UNAVAILABLE`: no daemon at the socket, or one that cannot answer.
    case noDaemon = 69
    /// `EX_IOERR`: done, but standard output did not take the result.
    case outputLost = 74
    /// `EX_NOPERM`.
    case denied = 77
    /// As timeout(1) ends.
    case timedOut = 124
    /// Ended by Ctrl-C, as shells say it: 128 and the signal's number.
    case interrupted = 130

    /// What a refusal of the API means for who called.
    package init(_ problem: Problem.Code) {
        switch problem {
        case .configurationInvalid: self = .failed
        case .noSuchWatch, .noSuchDelivery, .noSuchReceiver: self = .notFound
        case .badParameter, .badPath, .badBody, .unsupportedType, .methodNotAllowed, .conflict,
            .malformedRequest, .contentTooLarge, .targetTooLong, .headTooLarge:
            self = .usage
        case .permissionDenied: self = .denied
        case .noSuchRoute, .unavailable, .overloaded, .requestTimeout, .notAdvancing, .notReady,
            .internalError:
            self = .noDaemon
        }
    }
}

/// Why a verb could not be carried out.
package struct ControlFailure: Error, Equatable, Sendable, CustomStringConvertible {
    package var exit: ExitStatus
    /// Names the thing, the fault and the remedy.
    package var message: String
    /// The daemon's refusal, when that was it.
    package var problem: Problem?

    package init(_ exit: ExitStatus, _ message: String, problem: Problem? = nil) {
        self.exit = exit
        self.message = message
        self.problem = problem
    }

    package var description: String { message }
}
