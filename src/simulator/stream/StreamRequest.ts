import { Result } from "effect"

/** A message of a client, as far as it could be read. */
export type StreamRequest =
  | { readonly _tag: "PingPong" }
  | {
      readonly _tag: "Registration"
      readonly approvalKey: string
      readonly subscribe: boolean
      readonly trId: string
      readonly trKey: string
    }

/**
 * The portal's table of the stream's codes. The words are those seen on the wire where they were (0000, 0001, 0003, 0008,
 * 0011, 8993, 8996, 9999), the table's elsewhere.
 */
export const streamTexts = {
  OPSP0000: "SUBSCRIBE SUCCESS",
  OPSP0001: "UNSUBSCRIBE SUCCESS",
  OPSP0002: "ALREADY IN SUBSCRIBE",
  OPSP0003: "UNSUBSCRIBE ERROR(not found!)",
  OPSP0007: "SUBSCRIBE INTERNAL ERROR",
  OPSP0008: "MAX SUBSCRIBE OVER",
  OPSP0009: "SUBSCRIBE ERROR : mci send failed",
  OPSP0010: "SUBSCRIBE WARNING : invalid appkey",
  OPSP0011: "invalid approval : NOT FOUND",
  OPSP8991: "SUBSCRIBE ERROR : invalid tr_id",
  OPSP8992: "SUBSCRIBE ERROR : invalid tr_key",
  OPSP8993: "JSON PARSING ERROR : invalid tr_key",
  OPSP8994: "JSON PARSING ERROR : personalseckey not found",
  OPSP8995: "JSON PARSING ERROR : appsecret not found",
  OPSP8996: "ALREADY IN USE appkey",
  OPSP8997: "JSON PARSING ERROR : invalid tr_type",
  OPSP8998: "JSON PARSING ERROR : invalid custtype",
  OPSP8999: "resource not available (ALLOC_CALL_PARAM)",
  OPSP9990: "JSON PARSING ERROR : tr_key not found",
  OPSP9991: "JSON PARSING ERROR : input not found",
  OPSP9992: "JSON PARSING ERROR : body not found",
  OPSP9993: "JSON PARSING ERROR : internal error",
  OPSP9994: "JSON PARSING ERROR : INVALID appkey",
  OPSP9995: "JSON PARSING ERROR : resource not available",
  OPSP9996: "JSON PARSING ERROR : appkey",
  OPSP9997: "JSON PARSING ERROR : custtype not found",
  OPSP9998: "JSON PARSING ERROR : header not found",
  OPSP9999: "JSON PARSING ERROR : invalid json format"
} as const

export type StreamCode = keyof typeof streamTexts

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const textOf = (value: unknown): string =>
  typeof value === "string" ? value.trim() : typeof value === "number" ? String(value) : ""

/** No key of any stream is nearly as long. */
const keyLengthMax = 40

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Reads one text message; the failure is the code that KIS gives for what is wrong with it. */
export const readRequest = (text: string): Result.Result<StreamRequest, StreamCode> => {
  const message = parse(text)
  if (!isFields(message)) return Result.fail("OPSP9999")
  const { body, header } = message
  if (!isFields(header)) return Result.fail("OPSP9998")
  if (header["tr_id"] === "PINGPONG") return Result.succeed({ _tag: "PingPong" })
  const custtype = textOf(header["custtype"])
  const trType = textOf(header["tr_type"])
  if (custtype === "") return Result.fail("OPSP9997")
  if (custtype !== "P" && custtype !== "B") return Result.fail("OPSP8998")
  if (trType !== "1" && trType !== "2") return Result.fail("OPSP8997")
  if (!isFields(body)) return Result.fail("OPSP9992")
  const { input } = body
  if (!isFields(input)) return Result.fail("OPSP9991")
  if (input["tr_key"] === undefined) return Result.fail("OPSP9990")
  const trKey = textOf(input["tr_key"])
  if (trKey === "" || trKey.length > keyLengthMax) return Result.fail("OPSP8993")
  return Result.succeed({
    _tag: "Registration",
    approvalKey: textOf(header["approval_key"]),
    subscribe: trType === "1",
    trId: textOf(input["tr_id"]),
    trKey
  })
}
