import iconv from "iconv-lite"
import { isSymbolCode } from "../../domain/SymbolCode.ts"
import type { UniverseEntry } from "../../domain/UniverseFile.ts"
import type { Layout } from "./layouts.ts"

/** Why a base price is not the close of the day before, so that comparing the two would show a move that was none. */
export type Rebased = "exRights" | "parChange" | "notLastClose"

/** An issue as a master file has it, with what the shipped list does not say. */
export interface MasterIssue extends UniverseEntry {
  readonly rebased?: Rebased
}

/**
 * What a group code means (kis/symbols.md §3; `PF`, and `ST` on KONEX, by the captured files). Shares of a KONEX company
 * are expected as `KN` by the documents.
 */
const kinds: Readonly<Record<string, string>> = {
  ST: "common",
  KN: "common",
  EF: "etf",
  FE: "foreignEtf",
  EN: "etn",
  EW: "elw",
  RT: "reit",
  IF: "infra",
  MF: "mutual",
  PF: "pubfund",
  SC: "ship",
  BC: "bene",
  DR: "dr",
  FS: "foreign",
  SW: "warrant",
  SR: "right"
}

export const isGroupCode = (group: string): boolean => Object.hasOwn(kinds, group)

/** Preferred shares have the classes 1, 2 and, against the documents, 9. */
const kindOf = (group: string, preferred: string, spac: string): string => {
  if (group !== "ST" && group !== "KN") return kinds[group] ?? "other"
  if (preferred !== "0" && preferred !== "") return "pref"
  return spac === "Y" ? "spac" : "common"
}

/** Caution, warning, and risk, the step after it, which the shipped lists call a warning too. */
const warnings: Readonly<Record<string, string>> = { "01": "C", "02": "W", "03": "W" }

/** Blank and zero are both "none". */
const isSet = (code: string): boolean => /[1-9A-Z]/.test(code)

/** The market's value of yesterday is told in units of 100 million KRW: below so many, rounding is no small error. */
const worth_min = 100
const unit_krw = 100_000_000
/** Only a share's shares times its price make the market's value: units of funds come and go by the day. */
const valued = new Set(["common", "pref", "spac"])
const isLastClose_share = 0.03

/** Reads a line as its columns; the layout is the file's. */
const reader = ({ columns }: Layout, line: Uint8Array) => {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength)
  const cut = (name: string): Buffer => {
    const column = columns.get(name)
    return column === undefined ? Buffer.alloc(0) : bytes.subarray(column.from, column.from + column.width)
  }
  return {
    ascii: (name: string): string => cut(name).toString("latin1").trim(),
    korean: (name: string): string => iconv.decode(cut(name), "cp949").trimEnd()
  }
}

const digits = /^\d+$/

/** The two characters that say what a line is about. */
export const groupOf = (layout: Layout, line: Uint8Array): string => reader(layout, line).ascii("scrt_grp_cls_code")

/** A line as an issue; `undefined` when its code or one of its numbers is none. Prices in KRW, shares as they are. */
export const issueOf = (layout: Layout, line: Uint8Array, market: string): MasterIssue | undefined => {
  const { ascii, korean } = reader(layout, line)
  const code = ascii("mksc_shrn_iscd")
  const numbers = [ascii("stck_sdpr"), ascii("prdy_vol"), ascii("lstn_stcn")]
  if (!isSymbolCode(code) || !numbers.every((text) => digits.test(text))) return undefined
  const [base = 0, previousVolume = 0, thousands = 0] = numbers.map(Number)
  const kind = kindOf(ascii("scrt_grp_cls_code"), ascii("prst_cls_code"), ascii("etpr_undt_objt_co_yn"))
  const exRights = isSet(ascii("flng_cls_code"))
  const flags = [
    ascii("trht_yn") === "Y" ? "H" : "",
    ascii("sltr_yn") === "Y" ? "L" : "",
    ascii("mang_issu_yn") === "Y" ? "A" : "",
    warnings[ascii("mrkt_alrm_cls_code")] ?? "",
    isSet(ascii("short_over_cls_code")) ? "O" : "",
    exRights ? "X" : ""
  ]
  const worth = Number(ascii("prdy_avls_scal"))
  const isOff =
    valued.has(kind) &&
    worth >= worth_min &&
    thousands > 0 &&
    Math.abs((base * thousands * 1_000) / (worth * unit_krw) - 1) > isLastClose_share
  const rebased = exRights
    ? "exRights"
    : isSet(ascii("fcam_mod_cls_code"))
      ? "parChange"
      : isOff && base > 0
        ? "notLastClose"
        : undefined
  return {
    code,
    isin: ascii("stnd_iscd"),
    name: korean("hts_kor_isnm"),
    market,
    kind,
    listedShares: thousands * 1_000,
    basePrice: base > 0 ? base : undefined,
    previousVolume,
    flags: flags.join(""),
    nxt: false,
    ...(rebased === undefined ? {} : { rebased })
  }
}
