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

export const streamTexts = {
  OPSP0000: "SUBSCRIBE SUCCESS",
  OPSP0001: "UNSUBSCRIBE SUCCESS",
  OPSP0002: "ALREADY IN SUBSCRIBE",
  OPSP0003: "UNSUBSCRIBE ERROR(not found!)",
  OPSP0008: "MAX SUBSCRIBE OVER",
  OPSP0011: "invalid approval : NOT FOUND",
  OPSP8991: "invalid tr_id : NOT FOUND",
  OPSP8992: "invalid tr_key : NOT FOUND",
  OPSP8996: "ALREADY IN USE appkey",
  OPSP8997: "invalid tr_type",
  OPSP8998: "invalid custtype",
  OPSP9990: "JSON PARSING ERROR : tr_key not found",
  OPSP9991: "JSON PARSING ERROR : input not found",
  OPSP9992: "JSON PARSING ERROR : body not found",
  OPSP9997: "JSON PARSING ERROR : custtype not found",
  OPSP9998: "JSON PARSING ERROR : header not found",
  OPSP9999: "JSON PARSING ERROR : invalid JSON format"
} as const

export type StreamCode = keyof typeof streamTexts

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const textOf = (value: unknown): string =>
  typeof value === "string" ? value.trim() : typeof value === "number" ? String(value) : ""

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
  const trKey = textOf(input["tr_key"])
  if (trKey === "") return Result.fail("OPSP9990")
  return Result.succeed({
    _tag: "Registration",
    approvalKey: textOf(header["approval_key"]),
    subscribe: trType === "1",
    trId: textOf(input["tr_id"]),
    trKey
  })
}
