import { createCipheriv } from "node:crypto"

/** The pair that comes with every accepted subscription: one pair for a whole session. */
export interface SessionCipher {
  /** 16 characters, used as they are. */
  readonly iv: string
  /** 32 characters, used as they are. */
  readonly key: string
}

/** AES-256-CBC with PKCS#7, as base64. */
export const seal = (plain: string, { iv, key }: SessionCipher): string => {
  const cipher = createCipheriv("aes-256-cbc", key, iv)
  return cipher.update(plain, "utf8", "base64") + cipher.final("base64")
}
