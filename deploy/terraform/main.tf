# One small machine with a disk for the record. Nothing reaches it but ssh; the observer listens on loopback, and who
# wants to look at it comes through the ssh connection (ssh -L 8787:127.0.0.1:8787).

data "aws_availability_zones" "here" {
  state = "available"
}

data "aws_ami" "debian" {
  most_recent = true
  # Debian's own account.
  owners = ["136693071363"]

  filter {
    name   = "name"
    values = ["debian-13-amd64-*"]
  }

  filter {
    name   = "architecture"
    values = ["x86_64"]
  }
}

locals {
  zone = data.aws_availability_zones.here.names[0]

  user_data = templatefile("${path.module}/cloud-init.yaml.tftpl", {
    name           = var.name
    setup          = file("${path.module}/setup.sh")
    data_volume    = replace(aws_ebs_volume.data.id, "-", "")
    node_version   = var.node_version
    release_url    = var.release_url
    release_sha256 = var.release_sha256
  })
}

resource "aws_vpc" "observer" {
  cidr_block           = "10.87.0.0/24"
  enable_dns_hostnames = true
  tags                 = { Name = var.name }
}

# The group that comes with the network: nothing is put into it, and it lets nothing through.
resource "aws_default_security_group" "none" {
  vpc_id = aws_vpc.observer.id
}

resource "aws_internet_gateway" "observer" {
  vpc_id = aws_vpc.observer.id
  tags   = { Name = var.name }
}

resource "aws_subnet" "observer" {
  vpc_id            = aws_vpc.observer.id
  cidr_block        = "10.87.0.0/28"
  availability_zone = local.zone
  tags              = { Name = var.name }
}

resource "aws_route_table" "observer" {
  vpc_id = aws_vpc.observer.id
  tags   = { Name = var.name }

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.observer.id
  }
}

resource "aws_route_table_association" "observer" {
  subnet_id      = aws_subnet.observer.id
  route_table_id = aws_route_table.observer.id
}

resource "aws_security_group" "observer" {
  name        = var.name
  description = "ssh from one place in, everything out"
  vpc_id      = aws_vpc.observer.id
  tags        = { Name = var.name }
}

resource "aws_vpc_security_group_ingress_rule" "ssh" {
  security_group_id = aws_security_group.observer.id
  description       = "ssh"
  cidr_ipv4         = var.ssh_cidr
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
}

# The broker's ports, the distribution's packages, the backup, the alerts: all are asked for from in here.
resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.observer.id
  description       = "out"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_key_pair" "observer" {
  key_name_prefix = "${var.name}-"
  public_key      = var.ssh_public_key
}

# The record. It outlives the machine, and terraform refuses to destroy it.
resource "aws_ebs_volume" "data" {
  availability_zone = local.zone
  type              = "gp3"
  size              = var.data_gb
  encrypted         = true
  tags              = { Name = "${var.name}-data" }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_instance" "observer" {
  ami                    = data.aws_ami.debian.id
  instance_type          = var.instance_type
  subnet_id              = aws_subnet.observer.id
  vpc_security_group_ids = [aws_security_group.observer.id]
  key_name               = aws_key_pair.observer.key_name
  user_data              = local.user_data
  monitoring             = false
  tags                   = { Name = var.name }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  # Cores that are always there: a burst that ran out in the opening would be seen as a slow sweep.
  credit_specification {
    cpu_credits = "unlimited"
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = 20
    encrypted   = true
  }

  # A new image or another set-up is for the next machine; the running one is upgraded by deploy/systemd/upgrade.sh.
  lifecycle {
    ignore_changes = [ami, user_data]
  }
}

resource "aws_volume_attachment" "data" {
  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.data.id
  instance_id = aws_instance.observer.id
  # Unmounted in order first: a machine that is replaced is stopped, not torn off its disk.
  stop_instance_before_detaching = true
}

resource "aws_eip" "observer" {
  domain   = "vpc"
  instance = aws_instance.observer.id
  tags     = { Name = var.name }
}
