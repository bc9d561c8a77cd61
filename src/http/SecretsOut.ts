import { Effect } from "effect"
import { HttpBody, HttpRouter, HttpServerResponse } from "effect/http"
import { valuesWithoutSecrets } from "../domain/Secrets.ts"

const cleaned = (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse => {
  const { body } = response
  if (body._tag !== "Uint8Array") return response
  const text = body.text ?? Buffer.from(body.body).toString()
  const clean = valuesWithoutSecrets(text)
  return clean === text ? response : HttpServerResponse.setBody(response, HttpBody.text(clean, body.contentType))
}

/**
 * Takes the secrets that are known out of every answer, whichever part of the program they have come to be in: a reason of
 * health is in the words of whoever failed, a database server's or a library's. Names of metrics, labels and fields stay, though
 * somebody's password is one of them.
 */
export const secretsOut = HttpRouter.middleware((respond) => Effect.map(respond, cleaned), { global: true })
