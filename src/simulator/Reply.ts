import type { Refusal, RefusalCode } from "./Refusal.ts"

/** What goes back over HTTP. `refused` is for the counters; the wire has it in the body. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
  readonly refused?: RefusalCode
}

/** A reply whose body is text. */
export interface TextReply extends Reply {
  readonly body: string
}

export const jsonReply = (body: object, headers: Readonly<Record<string, string>> = {}, status = 200): TextReply => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8", ...headers },
  body: JSON.stringify(body)
})

/** The captured bodies do not agree on the order of their keys: the expired token and the OPSQ family have the text last. */
const textLast = /^OPSQ|^EGW0012/

/** The error family of quotation paths, in the key order of the captured bodies. */
export const quotationRefusal = (
  { code, status, text }: Refusal,
  headers: Readonly<Record<string, string>>
): TextReply & { readonly refused: RefusalCode } => ({
  ...jsonReply(
    textLast.test(code)
      ? // Clients have logged OPSQ2001 and OPSQ0001 with `rt_cd` 2; taken for those that find fault with the call [U].
        { rt_cd: code.startsWith("OPSQ2") ? "2" : "1", msg_cd: code, msg1: text }
      : { rt_cd: "1", msg1: text, msg_cd: code },
    headers,
    status
  ),
  refused: code
})

/** The error family of `/oauth2/*`: other keys, no `rt_cd`. */
export const oauthRefusal = ({ code, status, text }: Refusal): TextReply & { readonly refused: RefusalCode } => ({
  ...jsonReply({ error_description: text, error_code: code }, {}, status),
  refused: code
})
