output "address" {
  description = "The machine's address; it stays when the machine is stopped and started."
  value       = aws_eip.observer.public_ip
}

output "ssh" {
  description = "How to get in, with the observer's pages on this end's port 8787."
  value       = "ssh -L 8787:127.0.0.1:8787 admin@${aws_eip.observer.public_ip}"
}

output "data_volume" {
  description = "The disk of the record, for snapshots and for a machine that takes the place of this one."
  value       = aws_ebs_volume.data.id
}

output "user_data" {
  description = "What cloud-init is given."
  value       = local.user_data
}
