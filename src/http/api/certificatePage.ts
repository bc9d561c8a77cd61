import { Effect } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { createHash } from "node:crypto"
import { Certificates } from "../../ops/Certificates.ts"
import { Readings } from "./Readings.ts"
import { securityHeaders } from "../securityHeaders.ts"
import type { Late } from "./Schemas.ts"

const missing = (day: string) =>
  HttpServerResponse.text(`there is no certificate of ${day}; days are written 2026-11-24\n`, { status: 404 })

/**
 * The page brings one style with it, which is known by its hash; whatever else might come to be in the page, a browser
 * neither loads nor runs nor obeys.
 */
export const policyOf = (html: string): string => {
  const style = /<style>([^<]*)<\/style>/.exec(html)?.[1]
  const hash = style === undefined ? "'none'" : `'sha256-${createHash("sha256").update(style).digest("base64")}'`
  return securityHeaders["content-security-policy"].concat(`; style-src ${hash}`)
}

/** A day's certificate for people, at `/certificates/2026-11-24`: the page that lies beside the day's files. */
export const certificatePage = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const certificates = yield* Certificates
    const { few } = yield* Readings
    const page = Effect.gen(function* () {
      const { day = "" } = yield* HttpRouter.params
      if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return missing("that day")
      const html = yield* few(certificates.text(day, "html"))
      return html === undefined
        ? missing(day)
        : HttpServerResponse.setHeader(HttpServerResponse.html(html), "content-security-policy", policyOf(html))
    })
    const refused = ({ message }: { readonly message: string }) =>
      Effect.succeed(HttpServerResponse.text(`${message}\n`, { status: 503 }))
    const late = ({ error }: Late) => Effect.succeed(HttpServerResponse.text(`${error}\n`, { status: 503 }))
    yield* router.add("GET", "/certificates/:day", Effect.catchTags(page, { DiskError: refused, Late: late }))
  })
)
