package import RunwatchCore

extension Deliverer {
    /// Makes these the receivers: at the start, and after each reload.
    ///
    /// A receiver whose settings are the same goes on as it was, except that one disabled by a 410 gets
    /// another chance. What is owed to a removed one stays in the database.
    package func apply(_ receivers: [ReceiverSettings]) {
        guard !isDraining else { return }
        for settings in receivers { apply(settings) }
        let names = Set(receivers.map(\.name))
        for pipeline in pipelines.values where !names.contains(pipeline.name) {
            pipeline.isRemoved = true
            pipeline.window.release()
            if pipeline.window.isIdle { pipelines[pipeline.name] = nil }
        }
        retireTransports()
        lookAfterAll()
    }

    private func apply(_ settings: ReceiverSettings) {
        guard let pipeline = pipelines[settings.name] else {
            pipelines[settings.name] = ReceiverPipeline(settings, receiver: receiver(for: settings))
            return
        }
        if pipeline.isRemoved || pipeline.settings != settings {
            pipeline.replace(settings, receiver: receiver(for: settings))
        } else {
            pipeline.machine.reloaded()
        }
        pipeline.isRemoved = false
        pipeline.look.isWanted = true
    }

    private func receiver(for settings: ReceiverSettings) -> any Receiver {
        switch settings.kind {
        case .stdout(let format):
            StdoutReceiver(format: format, writer: lines, queue: queue)
        case .webhook(let webhook):
            WebhookReceiver(
                webhook, timeout: settings.timeout, time: time,
                transport: transports.http(for: settings, webhook.peer), queue: queue)
        case .chat(let chat):
            ChatReceiver(
                chat, timeout: settings.timeout, time: time,
                transport: transports.http(for: settings, chat.peer), queue: queue)
        case .email(let email):
            EmailReceiver(
                email, timeout: settings.timeout,
                transport: transports.mail(for: settings, email), queue: queue)
        case .exec(let exec):
            ExecReceiver(exec, timeout: settings.timeout, programs: programs)
        }
    }

    private func retireTransports() {
        var users: Set<String> = []
        for pipeline in pipelines.values { users.formUnion(pipeline.window.flights.keys) }
        let wanted = pipelines.values.filter { !$0.isRemoved }.map(\.settings)
        transports.keep(wanted, users: users)
    }
}
