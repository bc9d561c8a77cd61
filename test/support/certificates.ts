import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { scratchFolder } from "./virtualTime.ts"

const hasOpenssl = (): boolean => {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

/** Why tests with certificates are not run here; printed by those that skip. */
export const opensslMissing = hasOpenssl() ? undefined : "there is no openssl"

/** A key and a certificate that it has signed itself, with the file that a client must trust. */
export interface Certificate {
  readonly key: string
  readonly cert: string
  readonly file: string
}

/** `YYYYMMDDHHMMSSZ`, as openssl takes it. */
const stamp = (atMs: number) => `${new Date(atMs).toISOString().replace(/\D/g, "").slice(0, 14)}Z`

const day_ms = 86_400_000

/** A certificate for a name, good for so many days from now; with none it ended yesterday. */
export const certificateFor = Effect.fnUntraced(function* (name: string, days: number) {
  const folder = yield* scratchFolder
  const path = (file: string) => join(folder, file)
  mkdirSync(path("new"))
  writeFileSync(path("index.txt"), "")
  writeFileSync(path("serial"), "01")
  const config = [
    "[ca]\ndefault_ca=own\n[own]",
    `database=${path("index.txt")}`,
    `serial=${path("serial")}`,
    `new_certs_dir=${path("new")}`,
    "default_md=sha256\npolicy=any\nunique_subject=no\nx509_extensions=ext\n[any]\ncommonName=supplied",
    `[ext]\nsubjectAltName=DNS:${name}\nbasicConstraints=CA:true`,
    "[req]\ndistinguished_name=dn\nprompt=no\n[dn]",
    `commonName=${name}\n`
  ]
  writeFileSync(path("config"), config.join("\n"))
  const run = (args: ReadonlyArray<string>) => execFileSync("openssl", args, { stdio: "ignore", cwd: folder })
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
  run(["req", "-new", ...newKey, "-keyout", path("key.pem"), "-out", path("request.pem"), "-config", path("config")])
  const nowMs = Date.now()
  const times = ["-startdate", stamp(nowMs - 30 * day_ms), "-enddate", stamp(nowMs + (days === 0 ? -1 : days) * day_ms)]
  const files = ["-in", path("request.pem"), "-out", path("cert.pem"), "-keyfile", path("key.pem")]
  run(["ca", "-batch", "-notext", "-selfsign", "-config", path("config"), ...times, ...files])
  const text = (file: string) => readFileSync(path(file), "utf8")
  return { key: text("key.pem"), cert: text("cert.pem"), file: path("cert.pem") } satisfies Certificate
})
