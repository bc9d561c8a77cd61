import { Data } from "effect"

/** The gateway's words for its codes, from the portal's table. */
const texts = {
  EGW00002: "서버 에러가 발생했습니다.",
  EGW00101: "유효하지 않은 요청입니다.",
  EGW00102: "AppKey는 필수입니다.",
  EGW00103: "유효하지 않은 AppKey입니다.",
  EGW00104: "AppSecret은 필수입니다.",
  EGW00105: "유효하지 않은 AppSecret입니다.",
  EGW00115: "grant_type은 필수입니다.",
  EGW00116: "지원하지 않는 grant_type입니다.",
  EGW00121: "유효하지 않은 token 입니다.",
  EGW00122: "token을 찾을 수 없습니다.",
  EGW00123: "기간이 만료된 token 입니다.",
  EGW00133: "접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)",
  EGW00201: "초당 거래건수를 초과하였습니다.",
  EGW00205: "credentials_type이 유효하지 않습니다.(Bearer)",
  EGW00215: "원장 초당 거래건수를 초과하였습니다.",
  EGW02006: "모의투자 TR 이 아닙니다.",
  OPSQ0002: "없는 서비스 코드 입니다",
  OPSQ2001: "ERROR",
  OPSQ2002: "ERROR : INPUT INVALID_CHECK_FIELD_LENGTH",
  OPSQ9999: "tr_id가 없습니다."
} as const

export type RefusalCode = keyof typeof texts

// Statuses of the codes not listed here were never seen by anyone readable; 403 on the key checks is one project's claim [U].
const statuses: Partial<Record<RefusalCode, number>> = {
  EGW00101: 400,
  EGW00102: 403,
  EGW00103: 403,
  EGW00104: 403,
  EGW00105: 403,
  EGW00115: 403,
  EGW00116: 403,
  EGW00133: 403,
  OPSQ2001: 200,
  OPSQ2002: 200,
  OPSQ9999: 200
}

/** A call the exchange refuses, with the broker's code. Sent in the shape of the path it was asked on. */
export class Refusal extends Data.TaggedError("Refusal")<{
  readonly code: RefusalCode
  readonly status: number
  readonly text: string
}> {
  override get message() {
    return `${this.code}: ${this.text}`
  }
}

/** A refusal with the usual status and words of its code; `detail` is added to the words. */
export const refusal = (code: RefusalCode, detail?: string, status?: number): Refusal =>
  new Refusal({
    code,
    status: status ?? statuses[code] ?? 500,
    text: detail === undefined ? texts[code] : `${texts[code]} ${detail}`
  })

/** Every code with its words. */
export const refusalTexts: Readonly<Record<RefusalCode, string>> = texts
