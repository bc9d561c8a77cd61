variable "region" {
  description = "AWS region. Seoul is the nearest to the broker."
  type        = string
  default     = "ap-northeast-2"
}

variable "name" {
  description = "Name of the machine; it becomes OBSERVER_NODE's default, and so a part of every file's name."
  type        = string
  default     = "observer"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$", var.name))
    error_message = "name: 1 to 32 of a-z, 0-9 and -, beginning and ending with a letter or digit."
  }
}

variable "ssh_cidr" {
  description = "From where ssh is let in, such as 203.0.113.7/32. Nothing else is let in from anywhere."
  type        = string

  validation {
    condition     = can(cidrhost(var.ssh_cidr, 0)) && tonumber(try(split("/", var.ssh_cidr)[1], "0")) >= 16
    error_message = "ssh_cidr: an IPv4 range of /16 or narrower, such as 203.0.113.7/32; the whole internet is none."
  }
}

variable "ssh_public_key" {
  description = "The public key that ssh is let in with, one line."
  type        = string

  validation {
    condition     = can(regex("^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp[0-9]+|sk-ssh-ed25519@openssh.com) [A-Za-z0-9+/=]+( .*)?$", var.ssh_public_key))
    error_message = "ssh_public_key: the line of a .pub file, beginning with ssh-ed25519, ssh-rsa or ecdsa-sha2."
  }
}

variable "instance_type" {
  description = "2 cores and 4 GB hold 2,000 symbols and the embedded database."
  type        = string
  default     = "t3.medium"

  validation {
    condition     = can(regex("^(t3|t3a|m5|m6i|m7i|c6i|c7i)\\.", var.instance_type))
    error_message = "instance_type: of an x86-64 family, such as t3.medium; the image and Node are of that kind."
  }
}

variable "data_gb" {
  description = "Size of the data disk. 2,000 symbols and 40 streams make one to two GB a day, compressed."
  type        = number
  default     = 200

  validation {
    condition     = var.data_gb >= 20 && var.data_gb <= 16384 && floor(var.data_gb) == var.data_gb
    error_message = "data_gb: a whole number from 20 to 16384."
  }
}

variable "node_version" {
  description = "Node.js of the machine, from nodejs.org, checked against the sums published there."
  type        = string
  default     = "24.19.0"

  validation {
    condition     = can(regex("^24\\.[0-9]+\\.[0-9]+$", var.node_version))
    error_message = "node_version: a version of Node.js 24, such as 24.19.0."
  }
}

variable "release_url" {
  description = "Where the machine gets the release from (deploy/release.sh makes one); empty to bring it by hand."
  type        = string
  default     = ""

  validation {
    condition     = var.release_url == "" || can(regex("^https://[^'\"\\s]+$", var.release_url))
    error_message = "release_url: an https:// address without quotes or blanks, or nothing."
  }
}

variable "release_sha256" {
  description = "The release's SHA-256, as sha256sum prints it. What has another one is not unpacked."
  type        = string
  default     = ""

  validation {
    condition     = var.release_url == "" ? var.release_sha256 == "" : can(regex("^[0-9a-f]{64}$", var.release_sha256))
    error_message = "release_sha256: 64 of 0-9 and a-f with a release_url, and nothing without one."
  }
}
