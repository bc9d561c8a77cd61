import type { table } from "./Settings.ts"

/** What each setting means, for README.ko.md. */
export const koreanMeaning: Readonly<Record<keyof typeof table, string>> = {
  sourceMode: "시세를 가져올 곳. 내장 시뮬레이터 또는 KIS",
  symbols: "관측할 종목. `top:N`은 거래대금 상위 N종목",
  watch: "별도의 목표로 훑고 다른 종목보다 먼저 스트림을 받을 종목",
  targets: "종목 분류별로 시세가 얼마나 오래되어도 되는지(초). 적지 않은 분류는 기본값",
  books: "스트림 종목 중 호가까지 받을 종목 수. 종목마다 슬롯이 하나 더 듭니다",
  shards: "종목을 나눠 맡는 샤드 수",
  node: "파일 이름과 레코드 id에 들어가는 노드 이름. 지정하지 않으면 호스트 이름",
  dataDir: "저널 폴더",
  logDir: "`observer.log` 폴더",
  stateDir: "접근토큰과 내장 DB 폴더",
  httpHost: "상태와 지표를 제공하는 HTTP 주소",
  httpPort: "HTTP 포트. 0이면 빈 포트를 사용",
  httpToken: "HTTP 클라이언트에 요구할 Bearer 토큰. `OBSERVER_HTTP_HOST`가 루프백이 아니면 필수",
  session:
    "장 시간에만 관측할지 항상 관측할지. 지정하지 않으면 kis이거나 `OBSERVER_CLOCK`을 지정했을 때 calendar, 그 밖에는 always",
  clock: "시장 시각. 하루를 리허설하려면 실제 시각에 시장 시각을 묶고 배속을 정하며, 시뮬레이터에도 같은 값을 줍니다",
  sql: "저널을 PostgreSQL에 적재할지 여부",
  databaseUrl: "사용할 PostgreSQL 서버. 지정하지 않으면 내장 DB",
  sqlRetention_days: "SQL에 오늘 외에 보관할 일수. 그보다 오래된 날은 자정 이후 삭제. 0이면 모두 보관",
  kisEnv: "KIS 실전 또는 모의투자",
  kisAppKey: "계좌의 앱키. kis 모드에서 필수",
  kisAppSecret: "계좌의 앱시크릿. kis 모드에서 필수",
  kisAccounts: "앱키 쌍 대신 여러 계좌를 적은 JSON 파일. 본인만 읽을 수 있어야 합니다(권한 0600)",
  kisRestUrl: "REST를 호출할 다른 서버. 시뮬레이터 모드에서는 두 주소를 모두 지정하거나 모두 비워 둡니다",
  kisWsUrl: "스트림을 받을 다른 서버",
  kisMasterUrl: "종목 마스터 파일을 받을 서버. 지정하지 않으면 KIS 서버, `KIS_REST_URL`이 있으면 그 서버",
  callsPerSecond: "앱키당 초당 호출 수. 지정하지 않으면 그 날짜의 KIS 한도(실전 18, 모의투자 1)",
  wsSlots: "앱키당 스트림 슬롯 수. 0이면 스트림을 받지 않음",
  heartbeat_seconds: "값이 그대로인 시세를 다시 기록하기까지의 시간(초)",
  stale_seconds: "이 시간(초) 동안 보이지 않은 종목은 stale로 집계",
  segment_mb: "저널 파일을 봉인하는 크기(MB)",
  gzip_minutes: "저널 파일을 봉인한 뒤 압축하기까지의 시간(분). off이면 압축하지 않음",
  fsync_ms: "정전 시 잃을 수 있는 레코드의 최대 시간(밀리초)",
  backupTarget: "봉인된 파일, 매니페스트, 인증서, 로그를 복사할 곳. 지정하지 않으면 백업하지 않음",
  backupSchedule: "백업 시각(시장 시각의 cron). off이면 `observer backup`을 부르는 타이머에 맡김",
  backupAge_hours: "봉인된 파일이 백업되지 않은 채 이 시간(시간)을 넘기면 경보",
  retention_days: "저널 파일을 오늘 외에 보관할 일수. 그보다 오래된 날은 백업된 뒤 삭제. 0이면 모두 보관",
  retentionUnbacked: "보관 일수를 넘겼지만 백업되지 않은 날의 처리: keep(보관) 또는 delete(삭제)",
  diskLow_mb: "디스크 여유가 이 값(MB) 아래면 부족으로 알림. 작은 디스크에서는 전체의 1/4까지만 적용",
  diskStop_mb: "디스크가 가득 차기 전에 저널 기록을 멈추는 여유 용량(MB). 작은 디스크에서는 전체의 1/16까지만 적용",
  drain_seconds: "정상 종료에 주어지는 시간(초)",
  logLevel: "기록할 최소 로그 레벨",
  log_mb: "`observer.log`를 로테이션하는 크기(MB)",
  log_days: "로테이션한 로그의 보관 일수",
  alertRules: "한도를 바꾸거나 끌 경보. 예: `staleSymbols:10,reconnects:off`. 목록은 docs/alarms.md",
  alertSlack: "경보를 보낼 Slack Incoming Webhook 주소",
  alertTelegram: "경보를 보낼 텔레그램 봇과 채팅. 직접 운영하는 Bot API 서버 주소를 앞에 붙일 수 있습니다",
  alertWebhook: "경보를 JSON으로 받을 주소",
  alertWebhookSecret: "`OBSERVER_ALERT_WEBHOOK`으로 보내는 내용에 서명하는 비밀값(X-Observer-Signature)",
  alertSmtp: "`OBSERVER_ALERT_EMAIL`로 경보를 보낼 메일 서버",
  alertEmail: "`OBSERVER_ALERT_SMTP`로 보내는 경보를 받을 메일 주소",
  pingUrl: "데이터가 실제로 저장되는 동안 1분마다 호출하는 생존 확인(dead-man) 주소. 정확한 조건은 docs/alarms.md"
}

const phrases: ReadonlyArray<readonly [RegExp, string]> = [
  [/^a whole number from (\d+) to (\d+)$/, "$1~$2 정수"],
  [/^off or a whole number from (\d+) to (\d+)$/, "off 또는 $1~$2 정수"],
  [/^an address beginning with (.+) or (.+)$/, "$1 또는 $2로 시작하는 주소"],
  [/^the path of a folder$/, "폴더 경로"],
  [/^the path of a file$/, "파일 경로"],
  [/^codes such as (\S+)$/, "`$1` 같은 종목코드"],
  [/^class:seconds with the classes (.+) and (\S+) to (\S+) seconds$/, "`분류:초`. 분류는 $1, 초는 $2~$3"],
  [/^(\d+) or more visible ASCII characters without blanks$/, "공백 없는 ASCII 문자 $1자 이상"],
  [/^one of (.+)$/, "$1 중 하나"],
  [
    /^codes such as (\S+), @file with one code a line, all, or top:N$/,
    "`$1` 같은 종목코드, 한 줄에 하나씩 적은 `@파일`, `all`, `top:N`"
  ],
  [
    /^1 to 32 of a-z, 0-9 and -, beginning and ending with a letter or digit$/,
    "영문 소문자·숫자·하이픈 1~32자, 처음과 끝은 영문자나 숫자"
  ],
  [
    /^real, or a wall instant, = and a market instant, x and a speed, as (\S+)$/,
    "real, 또는 `실제 시각=시장 시각x배속` (예: `$1`)"
  ],
  [/^a folder, (\S+) or (\S+)$/, "폴더, `$1`, `$2`"],
  [/^off or five fields of cron, such as (.+)$/, "off 또는 cron의 다섯 필드 (예: `$1`)"],
  [/^an IP address or a host name$/, "IP 주소 또는 호스트 이름"],
  [/^(\S+) or (\S+)$/, "$1 또는 $2"],
  [
    /^rule:limit or rule:off, with commas between, by the names and limits of docs\/alarms\.md$/,
    "`규칙:한도` 또는 `규칙:off`를 쉼표로 구분. 이름과 한도는 docs/alarms.md"
  ],
  [/^a bot token, \/ and a chat, as (\S+) or (\S+)$/, "`봇 토큰/채팅`. 예: `$1`, `$2`"],
  [
    /^(\S+) \(STARTTLS\) or (\S+), with \?from=address, ca=file or tls=off after it$/,
    "`$1`(STARTTLS) 또는 `$2`. 뒤에 `?from=주소`, `ca=파일`, `tls=off`를 붙일 수 있음"
  ],
  [/^1 to (\d+) addresses such as (\S+), with commas between$/, "`$2` 같은 주소 1~$1개, 쉼표로 구분"]
]

/** What a setting may hold, in Korean; `undefined` for words that nobody has translated yet. */
export const koreanAllowed = (allowed: string): string | undefined => {
  const phrase = phrases.find(([pattern]) => pattern.test(allowed))
  return phrase && allowed.replace(phrase[0], phrase[1])
}
