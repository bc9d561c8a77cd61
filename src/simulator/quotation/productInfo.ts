import { Effect } from "effect"
import type { Issue } from "../market/Issue.ts"
import { type Endpoint, quotations } from "./Endpoint.ts"
import { wanted } from "./fields.ts"
import { found, nothingFound } from "./messages.ts"

/** The classes of domestic products; the portal prints a foreign share only, so these codes and words are [U]. */
const classOf = ({ entry }: Issue): readonly [code: string, name: string] =>
  entry.kind === "etf" || entry.kind === "etn" ? ["101102", "ETF/ETN"] : ["101101", "주식"]

const infoRow = (issue: Issue, productType: string) => {
  const { entry } = issue
  const [classCode, className] = classOf(issue)
  // The universe has no English names.
  const english = `KRX ${entry.code}`
  return {
    pdno: entry.code.padStart(12, "0"),
    prdt_type_cd: productType,
    prdt_name: entry.name,
    prdt_name120: entry.name,
    prdt_abrv_name: entry.name,
    prdt_eng_name: english,
    prdt_eng_name120: english,
    prdt_eng_abrv_name: english,
    std_pdno: entry.isin,
    shtn_pdno: entry.code,
    prdt_sale_stat_cd: "",
    prdt_risk_grad_cd: "",
    prdt_clsf_cd: classCode,
    prdt_clsf_name: className,
    sale_strt_dt: "",
    sale_end_dt: "",
    wrap_asst_type_cd: "06",
    ivst_prdt_type_cd: "0101",
    ivst_prdt_type_cd_name: className,
    frst_erlm_dt: ""
  }
}

/** `search-info`: the name and class of a product; libraries ask it first to learn what a code is. */
export const productInfo: Endpoint = {
  path: `${quotations}search-info`,
  trId: "CTPF1604R",
  inMock: false,
  ledger: true,
  answer: Effect.fnUntraced(function* ({ market, query }) {
    const productType = yield* wanted(query, "PRDT_TYPE_CD")
    const issue = market.issue(yield* wanted(query, "PDNO"))
    // 300 is a domestic share, fund or note; products of other types and countries are not traded here.
    return issue === undefined || productType !== "300"
      ? { blocks: { output: {} }, message: nothingFound }
      : { blocks: { output: infoRow(issue, productType) }, message: found }
  })
}
