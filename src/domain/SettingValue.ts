import { Result } from "effect"
import { isSymbolCode } from "./SymbolCode.ts"
import { symbolClasses, type TargetSeconds } from "./SymbolClass.ts"

/**
 * How the text of a setting becomes a value. A failure is a detail in words about this one text, or empty when
 * `allowed` says it all; it never quotes the text, which may be a secret.
 */
export interface SettingValue<A> {
  /** What is allowed, in words that follow "allowed: ". */
  readonly allowed: string
  readonly parse: (text: string) => Result.Result<A, string>
}

const wrong = Result.fail("")

/** A whole number within bounds, both included. */
export const wholeNumber = (least: number, most: number): SettingValue<number> => ({
  allowed: `a whole number from ${least} to ${most}`,
  parse: (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    return value >= least && value <= most ? Result.succeed(value) : wrong
  }
})

/** A whole number within bounds, both included, or `off`. */
export const wholeNumberOrOff = (least: number, most: number): SettingValue<number | "off"> => ({
  allowed: `off or ${wholeNumber(least, most).allowed}`,
  parse: (text) => (text.toLowerCase() === "off" ? Result.succeed("off") : wholeNumber(least, most).parse(text))
})

/** One of a few words, in any case of letters. */
export const oneOf = <const A extends string>(...words: ReadonlyArray<A>): SettingValue<A> => ({
  allowed: words.length === 2 ? words.join(" or ") : `one of ${words.join(", ")}`,
  parse: (text) => {
    const word = words.find((each) => each.toLowerCase() === text.toLowerCase())
    return word === undefined ? wrong : Result.succeed(word)
  }
})

/** `on` is true, `off` is false. */
export const onOff: SettingValue<boolean> = {
  allowed: "on or off",
  parse: (text) => Result.map(oneOf("on", "off").parse(text), (word) => word === "on")
}

/** A folder, seen from the working directory. A `~` is refused, since only shells expand it. */
export const folder: SettingValue<string> = {
  allowed: "the path of a folder",
  parse: (text) => (text.startsWith("~") ? Result.fail("~ is not expanded here, write the whole path") : plain(text))
}

/** A file, seen from the working directory. */
export const file: SettingValue<string> = { ...folder, allowed: "the path of a file" }

/** Codes of symbols, in the order in which they are named. */
export const symbolCodes: SettingValue<ReadonlyArray<string>> = {
  allowed: "codes such as 005930,000660",
  parse: (text) => {
    const words = [...new Set(text.split(/[\s,]+/).filter((word) => word !== ""))]
    const bad = words.filter((word) => !isSymbolCode(word))
    return bad.length > 0 ? Result.fail(`not a symbol code: ${bad.slice(0, 10).join(", ")}`) : Result.succeed(words)
  }
}

const targetSeconds_min = 0.2
const targetSeconds_max = 86_400
const targetSeconds_default: Record<keyof TargetSeconds, number> = { watch: 3, index: 10, stock: 10, etf: 10 }

/** `class:seconds` pairs. A class that is not named keeps its default. */
export const targetSeconds: SettingValue<TargetSeconds> = {
  allowed: `class:seconds with the classes ${symbolClasses.join(", ")} and ${targetSeconds_min} to ${targetSeconds_max} seconds`,
  parse: (text) => {
    const targets = { ...targetSeconds_default }
    for (const word of text.split(/[\s,]+/).filter((each) => each !== "")) {
      const [name, seconds] = /^([a-z]+):(\d{1,5}(?:\.\d{1,3})?)$/i.exec(word)?.slice(1) ?? []
      const known = symbolClasses.find((each) => each === name?.toLowerCase())
      if (known === undefined) return wrong
      targets[known] = Number(seconds)
      if (!(targets[known] >= targetSeconds_min && targets[known] <= targetSeconds_max)) return wrong
    }
    return Result.succeed(targets)
  }
}

/** A name that may stand in file names: lower case letters, digits and inner dashes, 1 to 32 of them. */
export const nodeName: SettingValue<string> = {
  allowed: "1 to 32 of a-z, 0-9 and -, beginning and ending with a letter or digit",
  parse: matching(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/)
}

/** A machine's name made into a node's name, e.g. `Trader_PC.local` into `trader-pc`. */
export const nodeNameOf = (hostname: string): string => {
  const [label = ""] = hostname.toLowerCase().split(".")
  const name = label
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 32)
    .replace(/^-|-$/g, "")
  return name === "" ? "node" : name
}

/** The address or name of an interface to listen on. */
export const listenHost: SettingValue<string> = {
  allowed: "an IP address or a host name",
  parse: matching(/^[0-9A-Za-z._:-]{1,253}$/)
}

export const isLoopback = (host: string): boolean =>
  host === "::1" || host.toLowerCase() === "localhost" || /^127(\.\d{1,3}){3}$/.test(host)

/** A secret of visible ASCII without blanks, so that it fits into a header unchanged. */
export const secretText = (lengthMin: number): SettingValue<string> => ({
  allowed: `${lengthMin} or more visible ASCII characters without blanks`,
  parse: (text) =>
    text.length < lengthMin ? Result.fail(`it has ${text.length} characters`) : matching(/^[\x21-\x7e]+$/)(text)
})

/** An address with one of the given schemes, without a slash at its end. */
export const address = (...schemes: ReadonlyArray<string>): SettingValue<string> => ({
  allowed: `an address beginning with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`,
  parse: (text) =>
    schemes.some((scheme) => text.toLowerCase().startsWith(`${scheme}://`)) && URL.canParse(text)
      ? Result.succeed(text.replace(/\/+$/, ""))
      : wrong
})

/** An address with one of the given schemes, to the letter: what is called is what was set. */
export const endpoint = (...schemes: ReadonlyArray<string>): SettingValue<string> => ({
  allowed: address(...schemes).allowed,
  parse: (text) => Result.map(address(...schemes).parse(text), () => text)
})

function matching(pattern: RegExp) {
  return (text: string): Result.Result<string, string> => (pattern.test(text) ? Result.succeed(text) : wrong)
}

function plain(text: string): Result.Result<string, string> {
  return /[\x00-\x1f]/.test(text) ? Result.fail("it holds control characters") : Result.succeed(text)
}
