import { Effect } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { Certificates } from "../../ops/Certificates.ts"
import { Readings } from "./Readings.ts"
import type { Late } from "./Schemas.ts"

const missing = (day: string) =>
  HttpServerResponse.text(`there is no certificate of ${day}; days are written 2026-11-24\n`, { status: 404 })

/** The page brings its style with it; whatever else might come to be in it, a browser neither loads nor runs. */
const policy = "default-src 'none'; style-src 'unsafe-inline'"

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
        : HttpServerResponse.setHeader(HttpServerResponse.html(html), "content-security-policy", policy)
    })
    const refused = ({ message }: { readonly message: string }) =>
      Effect.succeed(HttpServerResponse.text(`${message}\n`, { status: 503 }))
    const late = ({ error }: Late) => Effect.succeed(HttpServerResponse.text(`${error}\n`, { status: 503 }))
    yield* router.add("GET", "/certificates/:day", Effect.catchTags(page, { DiskError: refused, Late: late }))
  })
)
