# Parts that the scripts of this folder share. Windows PowerShell 5.1 and PowerShell 7.
Set-StrictMode -Version 2.0

# Ends of the scripts, as the Task Scheduler shows them.
$script:ExitCode = @{ Good = 0; Damaged = 1; Settings = 64; Unreachable = 69; Folders = 73 }

function Get-ObserverExitCode {
  param([Parameter(Mandatory = $true)][string]$Name)
  return $script:ExitCode[$Name]
}

# Writes one line to the log and to the screen. The log is put aside at 5 MB, once.
function Write-ObserverLog {
  param(
    [Parameter(Mandatory = $true)][string]$LogFile,
    [Parameter(Mandatory = $true)][string]$Message,
    [ValidateSet('INFO', 'WARN', 'ERROR')][string]$Level = 'INFO'
  )
  $line = '{0:yyyy-MM-dd HH:mm:ss} {1,-5} {2}' -f (Get-Date), $Level, $Message
  Write-Host $line
  $folder = Split-Path -Parent $LogFile
  if (-not (Test-Path -LiteralPath $folder)) { New-Item -ItemType Directory -Path $folder -Force | Out-Null }
  if ((Test-Path -LiteralPath $LogFile) -and ((Get-Item -LiteralPath $LogFile).Length -gt 5242880)) {
    Move-Item -LiteralPath $LogFile -Destination "$LogFile.1" -Force
  }
  Add-Content -LiteralPath $LogFile -Value $line -Encoding UTF8
}

# Says a failure where somebody sees it: a line in the Application event log where the source is registered
# (Register-ObserverBackup.ps1 does that), and a notification where somebody is logged on. Neither may fail the script.
function Send-ObserverFailure {
  param([Parameter(Mandatory = $true)][string]$Message)
  try {
    if ([System.Diagnostics.EventLog]::SourceExists('ObserverBackup')) {
      [System.Diagnostics.EventLog]::WriteEntry('ObserverBackup', $Message, 'Error', 1001)
    }
  } catch {
    Write-Verbose "no event log: $_"
  }
  try {
    if ([Environment]::UserInteractive -and $PSVersionTable.PSEdition -ne 'Core') {
      $null = [Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]
      $kind = [Windows.UI.Notifications.ToastTemplateType]::ToastText02
      $toast = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent($kind)
      $texts = $toast.GetElementsByTagName('text')
      $null = $texts.Item(0).AppendChild($toast.CreateTextNode('Observer backup'))
      $null = $texts.Item(1).AppendChild($toast.CreateTextNode($Message))
      $app = '{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\WindowsPowerShell\v1.0\powershell.exe'
      $shown = [Windows.UI.Notifications.ToastNotification]::new($toast)
      [Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier($app).Show($shown)
    }
  } catch {
    Write-Verbose "no notification: $_"
  }
}

# Holds every file that a day's SHA256SUMS names against its hash. Gives one object a file that is not right.
# -Since leaves out files that have not changed since then; the lists themselves are always read.
function Test-ObserverSums {
  param(
    [Parameter(Mandatory = $true)][string]$Root,
    [datetime]$Since = [datetime]::MinValue
  )
  $lists = @(Get-ChildItem -LiteralPath $Root -Filter 'SHA256SUMS' -File -Recurse -ErrorAction Stop)
  foreach ($list in $lists) {
    foreach ($line in [System.IO.File]::ReadAllLines($list.FullName)) {
      if ($line -eq '') { continue }
      if ($line -notmatch '^([0-9a-f]{64}) [ *](.+)$') {
        [pscustomobject]@{ File = $list.FullName; Problem = "a line is none of sha256sum: $line" }
        continue
      }
      $hash = $Matches[1]
      $path = Join-Path $list.DirectoryName ($Matches[2] -replace '/', [System.IO.Path]::DirectorySeparatorChar)
      if (-not (Test-Path -LiteralPath $path -PathType Leaf)) {
        [pscustomobject]@{ File = $path; Problem = 'missing' }
        continue
      }
      $item = Get-Item -LiteralPath $path
      if ($item.LastWriteTimeUtc -lt $Since -and $item.CreationTimeUtc -lt $Since) { continue }
      $is = (Get-FileHash -LiteralPath $path -Algorithm SHA256).Hash.ToLowerInvariant()
      if ($is -ne $hash) { [pscustomobject]@{ File = $path; Problem = 'its content is another' } }
    }
  }
}

# How many files the lists name, so that an empty folder is not taken for a good one.
function Get-ObserverListedCount {
  param([Parameter(Mandatory = $true)][string]$Root)
  $count = 0
  foreach ($list in @(Get-ChildItem -LiteralPath $Root -Filter 'SHA256SUMS' -File -Recurse)) {
    $count += @([System.IO.File]::ReadAllLines($list.FullName) | Where-Object { $_ -ne '' }).Count
  }
  return $count
}

Export-ModuleMember -Function @('Get-ObserverExitCode', 'Write-ObserverLog', 'Send-ObserverFailure', 'Test-ObserverSums',
  'Get-ObserverListedCount')
