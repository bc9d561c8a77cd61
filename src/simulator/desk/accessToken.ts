import { createHash, createHmac, timingSafeEqual } from "node:crypto"

/**
 * Access tokens carry everything needed to check them, signed with a constant and the app key: a token stays valid when
 * the simulator is restarted, as the broker's do. Nothing here protects anything; the market is made up.
 */
const constant = "observer-simulator"

/** Tokens live a day. */
export const life_seconds = 86_400

export type TokenVerdict = "valid" | "expired" | "invalid"

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")
const head = base64({ alg: "HS512", typ: "JWT" })

const sign = (appKey: string, text: string) =>
  createHmac("sha512", `${constant}:${appKey}`).update(text).digest("base64url")

/** Looks like the broker's: a JWT of about 350 characters at most. */
export const mintToken = (appKey: string, env: string, issuedAtSeconds: number): string => {
  const claims = {
    sub: "token",
    aud: env,
    prdt_cd: "",
    iss: "simulator",
    exp: issuedAtSeconds + life_seconds,
    iat: issuedAtSeconds,
    jti: createHash("sha256").update(appKey).digest("hex").slice(0, 32)
  }
  const signed = `${head}.${base64(claims)}`
  return `${signed}.${sign(appKey, signed)}`
}

/** A token of the other environment reads as expired, as reported of the broker. */
export const judgeToken = (token: string, appKey: string, env: string, nowSeconds: number): TokenVerdict => {
  const cut = token.lastIndexOf(".")
  const expected = Buffer.from(sign(appKey, token.slice(0, Math.max(0, cut))))
  const given = Buffer.from(token.slice(cut + 1))
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return "invalid"
  // Signed by us, so it is what we wrote.
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as {
    readonly aud: string
    readonly exp: number
  }
  return claims.aud === env && nowSeconds < claims.exp ? "valid" : "expired"
}
