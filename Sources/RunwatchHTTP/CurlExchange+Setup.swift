import CCurl
import Dispatch
import RunwatchCore

extension CurlExchange {
    /// The connection's limit within the request's own: room for a lost SYN, repeated after 1, 3 and 7 s
    /// (RFC 6298).
    private static let connectTimeout = Duration.seconds(10)
    /// A body above this is not kept for longer than its request.
    private static let largeBody = 16 << 10

    /// Sets everything that this request needs; the transfer itself is the owner's to start.
    ///
    /// - Parameters:
    ///   - isFresh: No kept connection may be used.
    ///   - isStream: The answer has no end that one could wait for: no limit of time and size.
    func prepare(
        _ request: HTTPRequest, options: HTTPConnectionOptions, isFresh: Bool = false,
        isStream: Bool = false
    ) throws(HTTPFailure) {
        try RequestCheck.check(request)
        try RequestCheck.check(options)
        if options != self.options {
            self.options = nil
            try setConnection(options)
            self.options = options
        }
        try check(request.url.withCString { runwatch_easy_set_text(easy, CURLOPT_URL, $0) })
        try setMethod(request, isStream: isStream)
        try setHeaders(request)
        let total = CurlExchange.milliseconds(request.timeout)
        let connect = min(total, CurlExchange.milliseconds(CurlExchange.connectTimeout))
        try set(CURLOPT_TIMEOUT_MS, isStream ? 0 : total)
        try set(CURLOPT_CONNECTTIMEOUT_MS, connect)
        maximumAnswer = isStream ? .max : max(0, request.maximumAnswer)
        cutsAnswer = request.cutsLargeAnswer && !isStream
        answer.begin(maximumBody: maximumAnswer, cutsBody: cutsAnswer)
        addressGuard.begin(refusesPrivate: options.refusesPrivate)
        setFresh(isFresh)
        errorText.pointee = 0
        hasRetried = false
        deadline = DispatchTime.now().uptimeNanoseconds + UInt64(total) * 1_000_000
    }

    /// What never changes in the life of a handle.
    func setConstants() throws(HTTPFailure) {
        let me = Unmanaged.passUnretained(self).toOpaque()
        try check(runwatch_easy_set_pointer(easy, CURLOPT_PRIVATE, me))
        try check(runwatch_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText))
        try check(runwatch_easy_set_pointer(easy, CURLOPT_WRITEDATA, me))
        try check(runwatch_easy_set_pointer(easy, CURLOPT_HEADERDATA, me))
        try check(runwatch_easy_set_receiver(easy, CURLOPT_WRITEFUNCTION, receiveBody))
        try check(runwatch_easy_set_receiver(easy, CURLOPT_HEADERFUNCTION, receiveHeader))
        // libcurl opens a connection for the request at hand, but closes it long after: by the set alone.
        try check(runwatch_easy_set_pointer(easy, CURLOPT_OPENSOCKETDATA, me))
        try check(runwatch_easy_set_open_socket(easy, openSocket))
        if let sockets {
            let set = Unmanaged.passUnretained(sockets).toOpaque()
            try check(runwatch_easy_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, set))
            try check(runwatch_easy_set_close_socket(easy, closeSocket))
        }
        try setCommonConstants()
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_PATH_AS_IS, 1)
        try set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS)
        try set(CURLOPT_USERAGENT, "runwatch/1")
    }

    private func setMethod(_ request: HTTPRequest, isStream: Bool) throws(HTTPFailure) {
        sendsBody = request.method == .post || !request.body.isEmpty
        if sendsBody {
            try setBody(request.body)
        } else {
            try set(CURLOPT_HTTPGET, 1)
        }
        let plain: HTTPRequest.Method = sendsBody ? .post : .get
        try set(CURLOPT_CUSTOMREQUEST, request.method == plain ? nil : request.method.rawValue)
        // A stream's pieces are wanted as they come, not when a compressor has enough of them.
        let encoding = CurlLibrary.readsGzip && !isStream ? "gzip, deflate" : nil
        try set(CURLOPT_ACCEPT_ENCODING, encoding)
    }

    private func setBody(_ body: [UInt8]) throws(HTTPFailure) {
        let size = curl_off_t(body.count)
        try check(runwatch_easy_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, size))
        if body.isEmpty {
            // Any pointer will do, and this one is there as long as the handle.
            try check(runwatch_easy_set_pointer(easy, CURLOPT_POSTFIELDS, errorText))
        } else {
            try check(
                body.withUnsafeBytes {
                    runwatch_easy_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, $0.baseAddress)
                })
            holdsLargeBody = body.count > CurlExchange.largeBody
        }
        try set(CURLOPT_POST, 1)
    }

    /// Gives a large request's body back; a small one's memory is kept until the next request.
    func dropLargeBody() {
        guard holdsLargeBody else { return }
        holdsLargeBody = false
        runwatch_easy_set_pointer(easy, CURLOPT_POSTFIELDS, nil)
    }

    private func setHeaders(_ request: HTTPRequest) throws(HTTPFailure) {
        // Most requests of a service have the headers of the one before.
        if let headers, listFitsBody == sendsBody,
            headers.elementsEqual(request.headers, by: { $0 == $1 })
        {
            return
        }
        headers = nil
        var list: UnsafeMutablePointer<curl_slist>?
        for header in request.headers {
            // A header without a value is written with a semicolon (CURLOPT_HTTPHEADER(3)).
            let isEmpty = header.value.utf8.allSatisfy { $0 == 32 || $0 == 9 }
            let line = isEmpty ? "\(header.name);" : "\(header.name): \(header.value)"
            try append(line, to: &list)
        }
        if sendsBody {
            // Nobody is asked whether the body may come: it is small, and some servers never answer.
            try append("Expect:", to: &list)
            // libcurl would call the body a form.
            if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
                try append("Content-Type:", to: &list)
            }
        }
        curl_slist_free_all(headerList)
        headerList = list
        try check(runwatch_easy_set_pointer(easy, CURLOPT_HTTPHEADER, list))
        headers = request.headers
        listFitsBody = sendsBody
    }

    private func append(
        _ line: String, to list: inout UnsafeMutablePointer<curl_slist>?
    ) throws(HTTPFailure) {
        guard let longer = curl_slist_append(list, line) else {
            curl_slist_free_all(list)
            throw HTTPFailure(.badRequest, "out of memory for the request's headers")
        }
        list = longer
    }
}

// MARK: - What libcurl calls

private let receiveBody: curl_write_callback = { bytes, size, count, context in
    guard let context, let bytes else { return 0 }
    let exchange = Unmanaged<CurlExchange>.fromOpaque(context).takeUnretainedValue()
    let length = size * count
    return exchange.answer.append(UnsafeRawBufferPointer(start: bytes, count: length)) ? length : 0
}

private let receiveHeader: curl_write_callback = { bytes, size, count, context in
    guard let context, let bytes else { return 0 }
    let exchange = Unmanaged<CurlExchange>.fromOpaque(context).takeUnretainedValue()
    let length = size * count
    return exchange.answer.header(UnsafeRawBufferPointer(start: bytes, count: length)) ? length : 0
}

private let openSocket: curl_opensocket_callback = { context, _, address in
    guard let context, let address else { return CURL_SOCKET_BAD }
    return Unmanaged<CurlExchange>.fromOpaque(context).takeUnretainedValue()
        .newSocket(to: address)
}

private let closeSocket: curl_closesocket_callback = { context, socket in
    guard let context else { return -1 }
    return Unmanaged<CurlSocketSet>.fromOpaque(context).takeUnretainedValue().close(socket)
}
