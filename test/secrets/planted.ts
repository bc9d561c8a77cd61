/** Secrets that are found wherever they come to be, each with every character such a secret may have. */
export const planted = {
  appKey: "PSkq7WvplantedAppKey0Zr1Xc2Vb3Nm4Qw5",
  appSecret: "Tk/9plantedAppSecret+aB3/cD5+eF7/gH9+iJ1/kL3+mN5/oP7+qR9/sT1+uV3/wX5+yZ7==",
  otherKey: "PSzz9plantedOtherKey8Yx7Wv6Ut5Sr4Qp3",
  otherSecret: "Qm+plantedOtherSecret/1a+2b/3c+4d/5e+6f/7g+8h/9i+0j/1k+2l/3m+4n/5o+6p/7q==",
  refusedKey: "PSgg3plantedRefusedKey5Hj6Kl7Mn8Bv9C",
  refusedSecret: "Rw/7plantedRefusedSecret+2c/3d+4e/5f+6g/7h+8i/9j+0k/1l+2m/3n+4o/5p+6q/7r==",
  token: "eyJ0eXAiOiJKV1QifQ.plantedAccessToken_AbCdEfGhIjKlMnOp.qRsTuVwXyZ-0123",
  approvalKey: "9f8e7d6c-planted-approval-key-5b4a39281706",
  httpToken: "planted-http-token/with+all=characters",
  databasePassword: 'planted/db@pass word:"quoted"?#1',
  /** Password of an address whose setting is none of the secret ones. */
  addressPassword: "plantedAddressPw77",
  /** The path of an address is all that a webhook asks for. */
  webhook: "/services/T0PLANTED/B0PLANTED/plantedWebhookXyZ123",
  collectorKey: "plantedCollectorKey_0a1b2c3d4e5f"
} as const
export type PlantedName = keyof typeof planted

const forms = (secret: string): ReadonlyArray<string> => {
  const json = JSON.stringify(secret).slice(1, -1)
  return [secret, json, json.replaceAll("/", "\\/"), encodeURIComponent(secret), encodeURI(secret)]
}

/** Half of a secret is too much of it; what of it is enough to know it by. */
const pieces = (text: string): ReadonlyArray<string> => [text.slice(0, 14), text.slice(-14)]

/** Every token of this kind begins alike. */
const told = new Set([planted.token.slice(0, 14)])

const needles = Object.entries(planted).map(
  ([name, secret]) =>
    [name as PlantedName, [...new Set(forms(secret).flatMap(pieces))].filter((piece) => !told.has(piece))] as const
)

/** Which planted secrets are in a text, in whichever form, with what stands around the first place of each. */
export const leaksIn = (text: string): ReadonlyArray<string> =>
  needles.flatMap(([name, texts]) => {
    const at = texts.map((needle) => text.indexOf(needle)).find((found) => found >= 0)
    return at === undefined ? [] : [`${name} in …${text.slice(Math.max(0, at - 80), at + 40)}…`]
  })
