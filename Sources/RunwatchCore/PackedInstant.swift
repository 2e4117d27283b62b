/// An optional instant in eight bytes instead of sixteen: of each watch there are eight.
@propertyWrapper package struct PackedInstant: Hashable, Sendable {
    /// The smallest number, which is no instant of any clock, stands for none.
    private var nanoseconds: Int64

    package init(wrappedValue: Instant?) {
        nanoseconds = wrappedValue?.nanoseconds ?? .min
    }

    package var wrappedValue: Instant? {
        get { nanoseconds == .min ? nil : Instant(nanoseconds: nanoseconds) }
        set { nanoseconds = newValue?.nanoseconds ?? .min }
    }
}
