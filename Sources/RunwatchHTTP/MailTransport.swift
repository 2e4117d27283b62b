/// Sends mail; bound to one queue, on which every call is made and every completion runs.
///
/// A completion is called exactly once, never from within `send`.
package protocol MailTransport: AnyObject {
    /// Starts to send a mail; it is sent once the server has accepted it for all recipients.
    ///
    /// - Parameter completion: Gets the server's last word on the mail, such as `250 2.0.0 Ok: queued as 1A`.
    func send(
        _ mail: MailRequest, completion: @escaping (Result<MailReply, MailFailure>) -> Void)

    /// Fails what is under way with `.cancelled`; nothing may be sent after.
    func close()
}
