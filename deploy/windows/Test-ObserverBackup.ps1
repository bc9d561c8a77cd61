<#
.SYNOPSIS
Holds every file of the backup on this machine against its checksums, and pulls nothing.

.DESCRIPTION
Ends with 0 when every hash is right, 1 when a file is missing or damaged, 73 when the folder cannot be read.
#>
[CmdletBinding()]
param([string]$Destination = 'D:\observer_backup')
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot 'ObserverBackup.psm1') -Force
try {
  $wrong = @(Test-ObserverSums -Root $Destination)
  $listed = Get-ObserverListedCount -Root $Destination
} catch {
  Write-Host "$Destination cannot be read: $($_.Exception.Message)"
  exit (Get-ObserverExitCode Folders)
}
$wrong | Format-Table -AutoSize -Wrap | Out-String -Width 200 | Write-Host
if ($wrong.Count -gt 0 -or $listed -eq 0) {
  Write-Host "$($wrong.Count) of $listed files are not right"
  exit (Get-ObserverExitCode Damaged)
}
Write-Host "$listed files: every hash is right"
exit (Get-ObserverExitCode Good)
