import { Result } from "effect"
import { isLoopback, type SettingValue } from "../../../domain/SettingValue.ts"

export interface SmtpServer {
  readonly host: string
  readonly port: number
  /** `start`: a plain connection that must become TLS before anything is said; `always`: TLS from the first byte. */
  readonly tls: "start" | "always" | "off"
  readonly user: string | undefined
  readonly password: string | undefined
  /** Whom mails come from. */
  readonly from: string | undefined
  /** A file of certificates that are trusted besides the system's. */
  readonly ca: string | undefined
}

const known = ["tls", "from", "ca"]
const isAddress = (text: string) => /^[^\s@<>"]+@[^\s@<>"]+$/.test(text)

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** Reads `smtp://user:password@host:587?from=…&ca=…` (STARTTLS) or `smtps://…` (TLS). */
export const readSmtpServer = (text: string): Result.Result<SmtpServer, string> => {
  if (!/^smtps?:\/\//i.test(text) || !URL.canParse(text)) return Result.fail("")
  const url = new URL(text)
  const isSecure = url.protocol === "smtps:"
  const query = url.searchParams
  const unknown = [...query.keys()].filter((key) => !known.includes(key))
  if (unknown.length > 0) return Result.fail(`it takes ${known.join(", ")} after the ?`)
  const host = url.hostname.replace(/^\[|\]$/g, "")
  if (host === "") return Result.fail("it has no host")
  if (!/^\/?$/.test(url.pathname)) return Result.fail("it has a path")
  const user = decoded(url.username)
  const password = decoded(url.password)
  if (user === undefined || password === undefined) return Result.fail("a % in user or password is written %25")
  const tls = query.get("tls")
  if (tls !== null && tls !== "off") return Result.fail("tls is off or not named")
  if (tls === "off" && isSecure) return Result.fail("smtps is TLS; tls=off needs smtp")
  if (tls === "off" && password !== "" && !isLoopback(host)) {
    return Result.fail("a password is not sent without TLS to another machine")
  }
  const from = query.get("from") ?? undefined
  if (from !== undefined && !isAddress(from)) return Result.fail("from is not an address")
  return Result.succeed({
    host,
    port: url.port === "" ? (isSecure ? 465 : 587) : Number(url.port),
    tls: isSecure ? "always" : tls === "off" ? "off" : "start",
    user: user === "" ? undefined : user,
    password: password === "" ? undefined : password,
    from: from ?? (isAddress(user) ? user : undefined),
    ca: query.get("ca") ?? undefined
  })
}

export const smtpServer: SettingValue<string> = {
  allowed:
    "smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465, with ?from=address, ca=file or tls=off after it",
  parse: (text) => Result.map(readSmtpServer(text), () => text)
}

const addresses_max = 20

export const mailAddresses: SettingValue<ReadonlyArray<string>> = {
  allowed: `1 to ${addresses_max} addresses such as ops@example.com, with commas between`,
  parse: (text) => {
    const words = [...new Set(text.split(/[\s,]+/).filter((word) => word !== ""))]
    return words.length > 0 && words.length <= addresses_max && words.every(isAddress)
      ? Result.succeed(words)
      : Result.fail("")
  }
}
