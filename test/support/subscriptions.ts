import type { KisServer, SeenConnection } from "./kisServer.ts"

/** A registration as the broker's side reads it. */
export interface Asked {
  readonly action: string
  readonly trId: string
  readonly trKey: string
  readonly approvalKey: string
}

export const probe = '{"header":{"tr_id":"PINGPONG","datetime":"20260710171541"}}'

interface Message {
  readonly header: { readonly tr_id?: string; readonly approval_key?: string; readonly tr_type?: string }
  readonly body?: { readonly input: { readonly tr_id: string; readonly tr_key: string } }
}

/** The registration in a client's text; `undefined` for an echoed probe. */
export const askedIn = (text: string): Asked | undefined => {
  const { body, header } = JSON.parse(text) as Message
  return body === undefined
    ? undefined
    : {
        action: header.tr_type ?? "",
        trId: body.input.tr_id,
        trKey: body.input.tr_key,
        approvalKey: header.approval_key ?? ""
      }
}

export const askedOf = ({ said }: SeenConnection): ReadonlyArray<string> =>
  said.flatMap((text) => askedIn(text)?.trKey ?? [])

export const reply = (trKey: string, msg_cd: string, msg1 = "words", trId = "H0STCNT0"): string =>
  JSON.stringify({
    header: { tr_id: trId, tr_key: trKey, encrypt: "N" },
    body: { rt_cd: msg_cd === "OPSP0000" ? "0" : "1", msg_cd, msg1 }
  })

export const accepted = (trKey: string): string => reply(trKey, "OPSP0000", "SUBSCRIBE SUCCESS")
export const keyInUse = reply("", "OPSP8996", "ALREADY IN USE appkey", "(null)")

/** Accepts every registration, or says what the script says instead; `undefined` leaves it unanswered. */
export const acceptAll = (
  server: KisServer,
  script: (asked: Asked, connection: SeenConnection) => string | undefined = ({ trKey }) => accepted(trKey)
): void =>
  server.onText((text, connection) => {
    const asked = askedIn(text)
    const answer = asked && script(asked, connection)
    if (answer !== undefined) connection.socket.send(answer)
  })
