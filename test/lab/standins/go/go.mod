module mesh-expansion.lab/standins

go 1.24.0
