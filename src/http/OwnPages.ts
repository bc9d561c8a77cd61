import { Effect } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { isLoopback } from "../domain/SettingValue.ts"
import { refused } from "./refusals.ts"

type Headers = Readonly<Record<string, string | undefined>>

/** Reading methods: a browser shows the answer to no other page, for nothing here allows it to; yet answering is work. */
const reading = new Set(["GET", "HEAD"])

/** `none` is a person who typed the address. */
const ownSites = new Set(["same-origin", "none"])

/** The name in a `Host` header, without its port; `undefined` when it is none. */
const nameIn = (host: string): string | undefined =>
  URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, "") : undefined

const hostOf = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined)

/** Why a request is another site's doing; `undefined` when it is not. Programs send none of the headers that tell. */
const foreignSite = (method: string, { host = "", origin, "sec-fetch-site": site }: Headers): string | undefined => {
  if (reading.has(method)) {
    return site === "cross-site"
      ? "a page of another site may not ask for anything (Sec-Fetch-Site: cross-site); type the address instead"
      : undefined
  }
  if (site !== undefined && !ownSites.has(site))
    return `a page of another site may not change anything (Sec-Fetch-Site: ${site})`
  if (origin !== undefined && hostOf(origin) !== hostOf(`http://${host}`))
    return `a page of another site may not change anything (Origin: ${origin})`
  return undefined
}

/** Why a request was meant for another machine: its page's name was made to lead here. */
const foreignHost = (listening: string, { host }: Headers): string | undefined => {
  if (host === undefined) return undefined
  const name = nameIn(host)
  if (name !== undefined && (isLoopback(name) || name === listening.toLowerCase())) return undefined
  return `this server is asked by the name it listens on, ${listening} or localhost, and not as ${host}`
}

export interface OwnPagesOptions {
  /** Where the server listens. */
  readonly host: string
  readonly hasToken: boolean
}

/**
 * Refuses what the pages of other sites make a browser ask for, and, without a token on loopback, where being on
 * this machine is all that is asked of anybody, whatever comes by a foreign name. With a token a proxy may give it any name:
 * no page knows the token.
 */
export const ownPages = ({ hasToken, host }: OwnPagesOptions) => {
  const isOpen = isLoopback(host) && !hasToken
  return HttpRouter.middleware(
    (respond) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers, method }) => {
        const error = (isOpen ? foreignHost(host, headers) : undefined) ?? foreignSite(method, headers)
        return error === undefined
          ? respond
          : Effect.as(refused("foreign"), HttpServerResponse.jsonUnsafe({ error }, { status: 403 }))
      }),
    { global: true }
  )
}
