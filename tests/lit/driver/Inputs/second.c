int second(int n);

int second(int n)
{
	return n;
}
