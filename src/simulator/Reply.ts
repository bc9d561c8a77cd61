import type { Refusal, RefusalCode } from "./Refusal.ts"

/** What goes back over HTTP. `refused` is for the counters; the wire has it in the body. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly refused?: RefusalCode
}

export const jsonReply = (body: object, headers: Readonly<Record<string, string>> = {}, status = 200): Reply => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8", ...headers },
  body: JSON.stringify(body)
})

/** The error family of quotation paths, in the key order of the captured body. */
export const quotationRefusal = (
  { code, status, text }: Refusal,
  headers: Readonly<Record<string, string>>
): Reply => ({
  ...jsonReply({ rt_cd: "1", msg1: text, msg_cd: code }, headers, status),
  refused: code
})

/** The error family of `/oauth2/*`: other keys, no `rt_cd`. */
export const oauthRefusal = ({ code, status, text }: Refusal): Reply => ({
  ...jsonReply({ error_description: text, error_code: code }, {}, status),
  refused: code
})
