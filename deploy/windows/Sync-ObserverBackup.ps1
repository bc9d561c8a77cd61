<#
.SYNOPSIS
Pulls Observer's backup to this machine and holds it against its checksums.

.DESCRIPTION
Copies what is new from an SMB share (robocopy) or an rclone remote into -Destination, deletes nothing there, and then
hashes every file that came since the last good run; with -Full every file. Ends with 0 when all is right, 1 when a file
is missing or damaged, 64 for a wrong parameter, 69 when the source cannot be read, 73 when the destination cannot be
written.

.PARAMETER Source
\\server\share\observer for robocopy, or rclone:remote:path for rclone.

.EXAMPLE
.\Sync-ObserverBackup.ps1 -Source \\nas\observer
.EXAMPLE
.\Sync-ObserverBackup.ps1 -Source rclone:drive:observer -Full
#>
[CmdletBinding()]
param(
  [Parameter(Mandatory = $true)][string]$Source,
  [string]$Destination = 'D:\observer_backup',
  [string]$LogFile = '',
  [switch]$Full
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot 'ObserverBackup.psm1') -Force
if ($LogFile -eq '') { $LogFile = Join-Path (Join-Path $Destination '_log') 'observer-backup.log' }
$stamp = Join-Path (Join-Path $Destination '_log') 'last-good.txt'
$started = (Get-Date).ToUniversalTime()

function Stop-WithFailure {
  param([string]$Message, [string]$Code)
  try { Write-ObserverLog -LogFile $LogFile -Level ERROR -Message $Message } catch { Write-Host $Message }
  Send-ObserverFailure -Message $Message
  exit (Get-ObserverExitCode $Code)
}

try {
  New-Item -ItemType Directory -Path $Destination -Force | Out-Null
  Write-ObserverLog -LogFile $LogFile -Message "pulling $Source into $Destination"
} catch {
  Stop-WithFailure -Message "$Destination cannot be written: $($_.Exception.Message)" -Code Folders
}

if ($Source -like 'rclone:*') {
  $remote = $Source.Substring('rclone:'.Length)
  if ($remote -notmatch '^:?[^-:][^:]*:') { Stop-WithFailure -Message "$Source is no remote, such as rclone:drive:observer" -Code Settings }
  $rclone = Get-Command rclone -ErrorAction SilentlyContinue
  if ($null -eq $rclone) { Stop-WithFailure -Message 'rclone is not on the PATH: winget install Rclone.Rclone' -Code Settings }
  $arguments = @('copy', $remote, $Destination, '--exclude', '.*/**', '--retries', '3', '--contimeout', '20s', '--timeout', '120s',
    '--ask-password=false', '--log-level', 'NOTICE', '--stats', '0')
  # What rclone says on standard error is no error of PowerShell's.
  $ErrorActionPreference = 'Continue'
  $said = & $rclone.Source @arguments 2>&1 | ForEach-Object { "$_" }
  $code = $LASTEXITCODE
  $ErrorActionPreference = 'Stop'
  if ($code -ne 0) {
    Stop-WithFailure -Message "rclone ended with ${code}: $(@($said | Select-Object -Last 3) -join '; ')" -Code Unreachable
  }
} else {
  if (-not (Test-Path -LiteralPath $Source -PathType Container)) {
    Stop-WithFailure -Message "$Source cannot be read: is the server on, and does the task's user have a right to the share?" -Code Unreachable
  }
  # /E folders below, /Z restartable, /FFT and /DST times of other file systems, /R /W few and short tries, /XD what is hidden.
  $arguments = @($Source, $Destination, '/E', '/Z', '/FFT', '/DST', '/R:3', '/W:10', '/NP', '/NFL', '/NDL', '/NJH', '/XD', '.rsync-partial', '/XF', '*.part')
  $said = & robocopy.exe @arguments
  # Below 8 robocopy says what it did; from 8 on something could not be copied.
  if ($LASTEXITCODE -ge 8) {
    Stop-WithFailure -Message "robocopy ended with ${LASTEXITCODE}: $(@($said | Select-Object -Last 5) -join '; ')" -Code Unreachable
  }
}

$since = [datetime]::MinValue
if (-not $Full -and (Test-Path -LiteralPath $stamp)) {
  $text = (Get-Content -LiteralPath $stamp -TotalCount 1)
  $style = [System.Globalization.DateTimeStyles]::RoundtripKind
  $read = [datetime]::MinValue
  if ([datetime]::TryParse($text, [System.Globalization.CultureInfo]::InvariantCulture, $style, [ref]$read)) { $since = $read.AddHours(-1) }
}
try {
  $wrong = @(Test-ObserverSums -Root $Destination -Since $since)
  $listed = Get-ObserverListedCount -Root $Destination
} catch {
  Stop-WithFailure -Message "$Destination cannot be read: $($_.Exception.Message)" -Code Folders
}
foreach ($each in $wrong) { Write-ObserverLog -LogFile $LogFile -Level ERROR -Message "$($each.File): $($each.Problem)" }
if ($wrong.Count -gt 0) {
  $words = "$($wrong.Count) files are not right, the first is $($wrong[0].File): remove them here and run this again; observer backup --verify looks at the source"
  Stop-WithFailure -Message $words -Code Damaged
}
if ($listed -eq 0) { Stop-WithFailure -Message "$Source has no SHA256SUMS: is it Observer's backup?" -Code Damaged }
Set-Content -LiteralPath $stamp -Value $started.ToString('o') -Encoding ASCII
Write-ObserverLog -LogFile $LogFile -Message "all is right: $listed files are named by the checksums"
exit (Get-ObserverExitCode Good)
