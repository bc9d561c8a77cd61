import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Data, Effect, type FileSystem, Layer, type Path, type Redacted } from "effect"
import { type Etag, type HttpPlatform, HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { Health } from "../ops/Health.ts"
import { makeMeterRefresh } from "../ops/Meters.ts"
import { guarded } from "./Guarded.ts"
import { makeNodeServer } from "./nodeServer.ts"
import { ownPages } from "./OwnPages.ts"
import { beginRefusals } from "./refusals.ts"
import { requestLimits } from "./RequestLimits.ts"
import { secretsOut } from "./SecretsOut.ts"
import { systemCode } from "../domain/systemCode.ts"

/** The port cannot be had. */
export class HttpUnavailable extends Data.TaggedError("HttpUnavailable")<{
  readonly host: string
  readonly port: number
  readonly detail: string
}> {
  override get message() {
    return `OBSERVER_HTTP_PORT is ${this.port}: cannot listen on ${this.host} (${this.detail}); name a free port, or 0 for any`
  }
}

export interface ServerOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly token: Redacted.Redacted | undefined
}

/** Where the server really listens. */
export class ServerAddress extends Context.Service<ServerAddress, { readonly url: string }>()(
  "observer/http/ServerAddress"
) {}

/** A probe asks again and again, and a report never waits on anything but memory: this long means the loop does not turn. */
const answer_timeout = "2 seconds"

/** Where a token is asked for, who asks without one is told which parts are not ready, and not why. */
const makeRoutes = ({ hasToken }: { readonly hasToken: boolean }) =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const health = yield* Health
      const refreshMeters = yield* makeMeterRefresh
      yield* beginRefusals
      const late = HttpServerResponse.text("late\n", { status: 503 })
      const within = <E, R>(respond: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
        Effect.timeoutOrElse(respond, { duration: answer_timeout, orElse: () => Effect.succeed(late) })

      yield* router.add("GET", "/livez", HttpServerResponse.text("ok\n"))
      yield* router.add(
        "GET",
        "/readyz",
        within(
          Effect.map(health.report, ({ parts, ready }) => {
            const reasons = Object.entries(parts).flatMap(([name, { reason, status }]) =>
              status === "ok" || status === "off" ? [] : [hasToken ? name : `${name}: ${reason ?? status}`]
            )
            return HttpServerResponse.text(ready ? "ready\n" : `not ready\n${reasons.join("\n")}\n`, {
              status: ready ? 200 : 503
            })
          })
        )
      )
      yield* router.add(
        "GET",
        "/health",
        within(Effect.map(health.report, (report) => HttpServerResponse.jsonUnsafe(report)))
      )
      yield* router.add(
        "GET",
        "/metrics",
        within(
          Effect.gen(function* () {
            yield* refreshMeters(yield* health.report)
            const contentType = "text/plain; version=0.0.4; charset=utf-8"
            return HttpServerResponse.text(yield* PrometheusMetrics.format(), { contentType })
          })
        )
      )
    })
  )

/** What a server brings for the routes that are added to it. */
type Served = HttpRouter.HttpRouter | Etag.Generator | HttpPlatform.HttpPlatform | FileSystem.FileSystem | Path.Path

/**
 * Serves health, metrics and the routes that are given, all behind the token and closed to the pages of other sites; fails with `HttpUnavailable` when the
 * address cannot be had.
 */
export const layer = <R = never>(
  { host, port, token }: ServerOptions,
  given: Layer.Layer<never, never, R> = Layer.empty
): Layer.Layer<ServerAddress, HttpUnavailable, Health | Exclude<R, Served>> => {
  const listening = NodeHttpServer.layer(() => makeNodeServer(), {
    host,
    port,
    gracefulShutdownTimeout: "1 second"
  }).pipe(
    Layer.catch((error) =>
      Layer.effect(HttpServer.HttpServer, new HttpUnavailable({ host, port, detail: systemCode(error.cause) }))
    )
  )
  const address = Layer.effect(
    ServerAddress,
    Effect.map(HttpServer.HttpServer, (server) => ({ url: HttpServer.formatAddress(server.address) }))
  )
  // What `given` needs is in the type of the whole; of a type that is not known here the server's part cannot be taken off.
  const more = given as Layer.Layer<never>
  const hasToken = token !== undefined
  const guards = Layer.mergeAll(guarded(token), ownPages({ host, hasToken }), requestLimits, secretsOut)
  const serving = HttpRouter.serve(Layer.mergeAll(makeRoutes({ hasToken }), guards, more), {
    disableLogger: true,
    disableListenLog: true
  })
  return Layer.merge(serving, address).pipe(Layer.provide(listening))
}
