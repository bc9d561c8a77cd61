/** The messages of OTLP that tests read, by the field numbers of opentelemetry-proto 1.x, and how protobuf is read. */

export type Attributes = Readonly<Record<string, unknown>>

export interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  /** Empty for the first of a trace. */
  readonly parentSpanId: string
  readonly name: string
  readonly kind: number
  readonly startNanos: bigint
  readonly endNanos: bigint
  readonly attributes: Attributes
  readonly events: ReadonlyArray<{ readonly name: string; readonly attributes: Attributes }>
  readonly links: ReadonlyArray<{ readonly traceId: string; readonly spanId: string }>
  readonly status: { readonly code: number; readonly message: string }
  readonly resource: Attributes
}

export interface OtlpPoint {
  readonly name: string
  readonly unit: string
  readonly type: "gauge" | "sum" | "histogram"
  /** A sum that only grows. */
  readonly isMonotonic: boolean
  readonly attributes: Attributes
  /** Of a histogram, how many there are. */
  readonly value: number
  readonly buckets: ReadonlyArray<number>
  readonly resource: Attributes
}

export interface OtlpLog {
  readonly severity: string
  readonly body: unknown
  readonly attributes: Attributes
  readonly traceId: string
  readonly spanId: string
  readonly resource: Attributes
}

/** What one message holds: its fields by number, each as often as it came; whole numbers and fixed ones as `bigint`. */
type Fields = ReadonlyMap<number, ReadonlyArray<bigint | Buffer>>

const fieldsOf = (bytes: Buffer): Fields => {
  const fields = new Map<number, Array<bigint | Buffer>>()
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(bytes.readUInt8(at++))
      value |= (byte & 0x7fn) << shift
      if ((byte & 0x80n) === 0n) return value
    }
  }
  while (at < bytes.length) {
    const key = Number(varint())
    let value: bigint | Buffer
    switch (key & 7) {
      case 0:
        value = varint()
        break
      case 1:
        value = bytes.readBigUInt64LE(at)
        at += 8
        break
      case 2: {
        const length = Number(varint())
        value = bytes.subarray(at, at + length)
        if (value.length !== length) throw new Error("a protobuf message ends too early")
        at += length
        break
      }
      case 5:
        value = BigInt(bytes.readUInt32LE(at))
        at += 4
        break
      default:
        throw new Error(`not a protobuf message: wire type ${key & 7}`)
    }
    const list = fields.get(key >> 3)
    if (list === undefined) fields.set(key >> 3, [value])
    else list.push(value)
  }
  return fields
}

const buffers = (fields: Fields, number: number): ReadonlyArray<Buffer> =>
  (fields.get(number) ?? []).filter((value) => Buffer.isBuffer(value))
const messages = (fields: Fields, number: number): ReadonlyArray<Fields> => buffers(fields, number).map(fieldsOf)
const message = (fields: Fields, number: number): Fields => messages(fields, number)[0] ?? new Map()
const text = (fields: Fields, number: number): string => buffers(fields, number)[0]?.toString() ?? ""
const hex = (fields: Fields, number: number): string => buffers(fields, number)[0]?.toString("hex") ?? ""
const whole = (fields: Fields, number: number): bigint => {
  const value = fields.get(number)?.[0]
  return typeof value === "bigint" ? value : 0n
}
const double = (bits: bigint): number => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(bits)
  return bytes.readDoubleLE()
}

const anyValue = (value: Fields): unknown => {
  if (value.has(1)) return text(value, 1)
  if (value.has(2)) return whole(value, 2) === 1n
  if (value.has(3)) return Number(BigInt.asIntN(64, whole(value, 3)))
  if (value.has(4)) return double(whole(value, 4))
  if (value.has(5)) return messages(message(value, 5), 1).map(anyValue)
  if (value.has(6)) return attributesIn(message(value, 6), 1)
  return undefined
}
const attributesIn = (fields: Fields, number: number): Attributes =>
  Object.fromEntries(messages(fields, number).map((pair) => [text(pair, 1), anyValue(message(pair, 2))]))

/** What every request is made of: resources, their scopes, and in those the things themselves. */
const things = (bytes: Buffer): ReadonlyArray<{ readonly resource: Attributes; readonly thing: Fields }> =>
  messages(fieldsOf(bytes), 1).flatMap((owner) => {
    const resource = attributesIn(message(owner, 1), 1)
    return messages(owner, 2).flatMap((scope) => messages(scope, 2).map((thing) => ({ resource, thing })))
  })

export const readSpans = (bytes: Buffer): ReadonlyArray<OtlpSpan> =>
  things(bytes).map(({ resource, thing }) => ({
    traceId: hex(thing, 1),
    spanId: hex(thing, 2),
    parentSpanId: hex(thing, 4),
    name: text(thing, 5),
    kind: Number(whole(thing, 6)),
    startNanos: whole(thing, 7),
    endNanos: whole(thing, 8),
    attributes: attributesIn(thing, 9),
    events: messages(thing, 11).map((event) => ({ name: text(event, 2), attributes: attributesIn(event, 3) })),
    links: messages(thing, 13).map((link) => ({ traceId: hex(link, 1), spanId: hex(link, 2) })),
    status: { code: Number(whole(message(thing, 15), 3)), message: text(message(thing, 15), 2) },
    resource
  }))

const kinds = [
  [5, "gauge"],
  [7, "sum"],
  [9, "histogram"]
] as const

export const readPoints = (bytes: Buffer): ReadonlyArray<OtlpPoint> =>
  things(bytes).flatMap(({ resource, thing }) =>
    kinds.flatMap(([number, type]) =>
      messages(thing, number).flatMap((data) =>
        messages(data, 1).map((point) => ({
          name: text(thing, 1),
          unit: text(thing, 3),
          type,
          isMonotonic: type === "sum" && whole(data, 3) === 1n,
          attributes: attributesIn(point, type === "histogram" ? 9 : 7),
          value:
            type === "histogram"
              ? Number(whole(point, 4))
              : point.has(6)
                ? Number(BigInt.asIntN(64, whole(point, 6)))
                : double(whole(point, 4)),
          buckets:
            type === "histogram"
              ? buffers(point, 6).flatMap((packed) =>
                  Array.from({ length: packed.length / 8 }, (_, at) => Number(packed.readBigUInt64LE(at * 8)))
                )
              : [],
          resource
        }))
      )
    )
  )

export const readLogs = (bytes: Buffer): ReadonlyArray<OtlpLog> =>
  things(bytes).map(({ resource, thing }) => ({
    severity: text(thing, 3),
    body: anyValue(message(thing, 5)),
    attributes: attributesIn(thing, 6),
    traceId: hex(thing, 9),
    spanId: hex(thing, 10),
    resource
  }))
