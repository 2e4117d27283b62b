import CCurl

/// What has an easy handle of libcurl: an exchange over HTTP, or the sending of one mail.
protocol CurlEasyHandle: AnyObject {
    var easy: UnsafeMutableRawPointer { get }
}

extension CurlEasyHandle {
    func check(_ code: CURLcode) throws(HTTPFailure) {
        guard code == CURLE_OK else {
            throw HTTPFailure(.badRequest, "libcurl refuses an option: \(CurlLibrary.text(code))")
        }
    }

    func set(_ option: CURLoption, _ value: Int) throws(HTTPFailure) {
        try check(runwatch_easy_set_long(easy, option, value))
    }

    func set(_ option: CURLoption, _ value: String?) throws(HTTPFailure) {
        guard let value else {
            return try check(runwatch_easy_set_text(easy, option, nil))
        }
        try check(value.withCString { runwatch_easy_set_text(easy, option, $0) })
    }

    func info(_ which: CURLINFO) -> Int {
        var value = 0
        runwatch_easy_get_long(easy, which, &value)
        return value
    }

    /// What never changes in the life of a handle, whatever it speaks.
    func setCommonConstants() throws(HTTPFailure) {
        try set(CURLOPT_NOSIGNAL, 1)
        // The end of a request does not wait for a name server that is silent: the thread that asks is
        // left to end by itself. Otherwise it would hold up the whole queue.
        try set(CURLOPT_QUICK_EXIT, 1)
        try set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        // Set, though empty: then NO_PROXY of the environment is not looked at.
        try set(CURLOPT_NOPROXY, "")
        // A new certificate in the CA file counts within ten minutes; libcurl's default is a day.
        try set(CURLOPT_CA_CACHE_TIMEOUT, 600)
    }

    /// What depends on the peer.
    func setConnection(_ options: HTTPConnectionOptions) throws(HTTPFailure) {
        let file = options.caFile ?? CurlLibrary.systemCAFile
        try set(CURLOPT_CAINFO, file)
        // Only without a file: with a folder of certificates the whole store is parsed anew for each
        // connection, which takes 20 ms instead of 0.6.
        try set(CURLOPT_CAPATH, file == nil ? CurlLibrary.systemCAFolder : nil)
        try set(
            CURLOPT_PROXY_CAPATH, CurlLibrary.systemCAFile == nil ? CurlLibrary.systemCAFolder : nil
        )
        try set(CURLOPT_SSLCERT, options.certFile)
        try set(CURLOPT_SSLKEY, options.keyFile)
        // Empty means none; without it the environment would be asked.
        try set(CURLOPT_PROXY, options.proxy ?? "")
        try set(CURLOPT_UNIX_SOCKET_PATH, options.unixSocket)
    }
}
