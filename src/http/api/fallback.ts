import { Effect } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"

/** What of an `HttpApi` says where its endpoints are. */
interface Endpoints {
  readonly groups: {
    readonly [group: string]: {
      readonly endpoints: { readonly [endpoint: string]: { readonly path: string; readonly method: string } }
    }
  }
}

/** Methods that can come to a path and are not answered by an endpoint. HEAD is answered as the GET it stands for. */
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"] as const

/** Whether a path without its query is one of an endpoint's (`/api/v1/symbols/:code`). */
const fits = (pattern: string, path: string): boolean => {
  const wanted = pattern.split("/")
  const given = path.split("/")
  return wanted.length === given.length && wanted.every((part, at) => part.startsWith(":") || part === given[at])
}

const allowedAt = (api: Endpoints, path: string): ReadonlyArray<string> =>
  Object.values(api.groups).flatMap(({ endpoints }) =>
    Object.values(endpoints).flatMap((endpoint) => (fits(endpoint.path, path) ? [endpoint.method] : []))
  )

/** Answers what no endpoint of an API does: a path of one with another method is 405 and names its own, the rest is 404. */
export const layer = (api: Endpoints) =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const answer = Effect.map(HttpServerRequest.HttpServerRequest, ({ method, url }) => {
        const path = url.split("?")[0] ?? ""
        const allow = allowedAt(api, path).join(", ")
        return allow === ""
          ? HttpServerResponse.jsonUnsafe({ error: "there is no such path; see /openapi.json" }, { status: 404 })
          : HttpServerResponse.jsonUnsafe(
              { error: `${method} is not one of the methods here: ${allow}` },
              { status: 405, headers: { allow } }
            )
      })
      yield* Effect.forEach(methods, (method) => router.add(method, "/api/*", answer), { discard: true })
    })
  )
