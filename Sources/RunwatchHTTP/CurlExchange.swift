import CCurl
import Dispatch
import RunwatchCore

/// One easy handle of libcurl with what it works on: a request and the answer that comes in.
///
/// Used again and again; what stays the same from one request to the next is not set again. Confined to
/// the queue or thread of its owner.
final class CurlExchange: CurlEasyHandle {
    let easy: UnsafeMutableRawPointer
    /// What the owner's caller waits with; `nil` when the exchange is idle.
    var completion: ((Result<HTTPResponse, HTTPFailure>) -> Void)?
    var answer = AnswerCollector()

    let errorText: UnsafeMutablePointer<CChar>
    var headerList: UnsafeMutablePointer<curl_slist>?
    /// What `headerList` was made from.
    var headers: [(name: String, value: String)]?
    var sendsBody = false
    /// What `sendsBody` was when `headerList` was made.
    var listFitsBody = false
    var holdsLargeBody = false
    var options: HTTPConnectionOptions?
    var addressGuard = AddressGuard()
    var maximumAnswer = 0
    var cutsAnswer = false
    /// When the request's time is over, in nanoseconds of `DispatchTime`.
    var deadline: UInt64 = 0
    var hasRetried = false
    /// Whether no kept connection is used.
    private var isFresh = false
    let sockets: CurlSocketSet?

    /// A handle whose sockets are opened and closed by `sockets`, or by libcurl when that is `nil`.
    ///
    /// `sockets` must outlive the handle and the connections that it made.
    init(sockets: CurlSocketSet? = nil) throws(HTTPFailure) {
        guard CurlLibrary.isReady, let easy = curl_easy_init() else {
            throw HTTPFailure(.connect, "libcurl cannot be set up: out of memory")
        }
        self.easy = easy
        self.sockets = sockets
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        try setConstants()
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headerList)
        errorText.deallocate()
    }

    /// Whether the transfer is worth one more try at once, on a new connection; prepares that.
    ///
    /// So it is when a connection kept from before turned out to be dead before a byte of the answer
    /// came: the server closed it just as the request was sent.
    func preparesRetry(after code: CURLcode) -> Bool {
        guard code == CURLE_GOT_NOTHING || code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR,
            !hasRetried, answer.headerBytes == 0, info(CURLINFO_NUM_CONNECTS) == 0
        else { return false }
        let now = DispatchTime.now().uptimeNanoseconds
        guard now < deadline else { return false }
        hasRetried = true
        answer.begin(maximumBody: maximumAnswer, cutsBody: cutsAnswer)
        errorText.pointee = 0
        setFresh(true)
        runwatch_easy_set_long(
            easy, CURLOPT_TIMEOUT_MS, CurlExchange.milliseconds(.nanoseconds(deadline - now)))
        return true
    }

    /// The end of a transfer: the answer, or why there is none.
    func finish(_ code: CURLcode) -> Result<HTTPResponse, HTTPFailure> {
        dropLargeBody()
        // libcurl takes the refusal of what is beyond the cut for a failure to write.
        guard code == CURLE_OK || answer.isCut else {
            let failure = failure(code)
            answer.begin(maximumBody: 0)
            return .failure(failure)
        }
        // To libcurl an answer that ends within its headers is whole, once it has a status.
        guard answer.isHeaderComplete else {
            return .failure(
                HTTPFailure(.interrupted, "the connection ended within the answer's headers"))
        }
        return .success(answer.takeResponse(status: status))
    }

    /// The status of the answer; 0 before there is one.
    var status: Int { info(CURLINFO_RESPONSE_CODE) }

    func failure(_ code: CURLcode) -> HTTPFailure {
        var failure = reason(code)
        if answer.isHeaderComplete { failure.status = status }
        return failure
    }

    private func reason(_ code: CURLcode) -> HTTPFailure {
        switch answer.overflow {
        case .headers:
            let limit = AnswerCollector.maximumHeaderBytes >> 10
            return HTTPFailure(.tooLarge, "the answer's headers are larger than \(limit) KiB")
        case .body:
            return HTTPFailure(
                .tooLarge, "the answer's body is larger than \(maximumAnswer) bytes")
        case nil:
            let failure = HTTPFailure(code, text: String(cString: errorText))
            // With a Unix socket no name is looked up: its path is too long.
            if failure.code == .name, options?.unixSocket != nil {
                return HTTPFailure(.connect, failure.message)
            }
            // What libcurl calls a bad argument may be a line of the answer.
            if failure.code == .badRequest, answer.headerBytes > 0 {
                return HTTPFailure(.malformed, failure.message)
            }
            return failure.code == .connect ? explained(failure) : failure
        }
    }

    /// A failed connection, with the address that was not tried.
    private func explained(_ failure: HTTPFailure) -> HTTPFailure {
        guard let address = addressGuard.refused else { return failure }
        let reason = "the address \(address) is private, and deny_private is set"
        guard addressGuard.hasLetThrough else { return HTTPFailure(.refused, reason) }
        // Another address is public, though it does not answer: that may change.
        return HTTPFailure(.connect, "\(failure.message); \(reason)")
    }

    /// A socket for a connection to the address; negative when there is none to be had.
    func newSocket(to address: UnsafePointer<curl_sockaddr>) -> Int32 {
        guard addressGuard.admits(address) else { return CURL_SOCKET_BAD }
        let peer = address.pointee
        return sockets?.open(to: peer) ?? CurlSocketSet.newSocket(to: peer)
    }

    /// Says whether the next start must make a connection of its own.
    func setFresh(_ mustBeFresh: Bool) {
        guard mustBeFresh != isFresh else { return }
        isFresh = mustBeFresh
        runwatch_easy_set_long(easy, CURLOPT_FRESH_CONNECT, mustBeFresh ? 1 : 0)
    }

    static func milliseconds(_ duration: Duration) -> Int {
        Int(max(1, min(duration.wholeMilliseconds, Int64(Int32.max))))
    }
}
