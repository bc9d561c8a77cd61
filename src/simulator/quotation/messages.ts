/** The end of a good reply. */
export interface Message {
  readonly code: string
  readonly text: string
}

/** The ledger pads its texts with blanks to this many bytes of cp949, in which a Korean letter takes two. */
const ledgerText_bytes = 80

const padded = (text: string): string => {
  const bytes = [...text].reduce((sum, letter) => sum + (letter.charCodeAt(0) > 0x7f ? 2 : 1), 0)
  return text + " ".repeat(Math.max(0, ledgerText_bytes - bytes))
}

export const done: Message = { code: "MCA00000", text: "정상처리 되었습니다." }
export const moreFollows: Message = {
  code: "KIOK0500",
  text: padded("조회가 계속됩니다..다음버튼을 Click 하십시오.")
}
/** On the last page of a ledger reply; seen on other ledger TRs only [U]. */
export const allRead: Message = { code: "KIOK0510", text: padded("조회가 완료되었습니다") }
export const found: Message = { code: "KIOK0530", text: padded("조회되었습니다") }
/** For a product the ledger does not know; seen on other ledger TRs only [U]. */
export const nothingFound: Message = { code: "KIOK0560", text: padded("조회할 내용이 없습니다") }
